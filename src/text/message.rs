//! Every sentence and word of the reports that does not belong to a rule: English and Japanese side by side.
//!
//! The compiler checks that each [`Message`] has both; a test checks that both use the same `{values}`.

use crate::text::Language;

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident: $english:literal, $japanese:literal;)*) => {
        /// A sentence or word of a report.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "each says what it says")]
        pub enum Message { $($(#[$doc])* $name,)* }

        impl Message {
            /// All of them, for the tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The template in a language.
            #[must_use]
            pub const fn template(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english, (Self::$name, Language::Japanese) => $japanese,)*
                }
            }
        }
    };
}

messages! {
    // Capture health
    CaptureSound: "Capture: {name}: {frames} frames in {duration}, read to the end, nothing missing.",
        "キャプチャ: {name}: {frames}フレーム、{duration}。最後まで読み取れ、欠けはありません。";
    CaptureWithLimits: "Capture: {name}: {frames} frames in {duration}. Read this first:",
        "キャプチャ: {name}: {frames}フレーム、{duration}。先に確認してください:";
    CaptureDamaged: "{file}: damaged at offset {offset}: expected {expected}, found {found}; reading went on at offset {resumed}.",
        "{file}: オフセット{offset}で破損しています({expected}のはずが{found})。オフセット{resumed}から読み取りを再開しました。";
    CaptureDamagedToEnd: "{file}: damaged at offset {offset}: expected {expected}, found {found}; nothing could be read behind it.",
        "{file}: オフセット{offset}で破損しています({expected}のはずが{found})。以降は読み取れませんでした。";
    FurtherDamages: "{file}: {count} further damaged places.", "{file}: ほかに{count}か所の破損があります。";
    CaptureCut: "{file}: ends in the middle of a record at offset {offset}; everything before it was read.",
        "{file}: オフセット{offset}のレコードの途中で終わっています。そこまではすべて読み取りました。";
    CaptureNotRead: "{file}: could not be read, or not to its end (standard error says why): the rest of it is not in this report.",
        "{file}: 読み取れなかったか、途中で読み取りに失敗しました(理由は標準エラー出力を参照)。残りの部分はこの結果に含まれていません。";
    KernelDrops: "{count} packets were dropped while capturing: what is \"not seen\" may have happened.",
        "取得中に{count}パケットが取りこぼされています。「見えない」ものも実際には起きていた可能性があります。";
    SnapLength: "{count} frames were cut by a snap length: capture again with full length (tcpdump -s 0).",
        "スナップ長で{count}フレームが切り詰められています。全長で取り直してください(tcpdump -s 0)。";
    TimeBackwards: "Time runs backwards in {count} places (first at frame {frame}).",
        "時刻が{count}か所で逆行しています(最初はフレーム{frame})。";
    NotDecoded: "{count} frames could not be decoded: {types}.", "{count}フレームは解読できませんでした: {types}。";
    LimitReached: "A limit of the analysis was reached: {what} ({count}).", "解析の上限に達しました: {what}({count}件)。";
    LimitEvicted: "connections evicted", "接続の追い出し";
    LimitHalfOpen: "unanswered SYNs forgotten", "応答のないSYNの破棄";
    LimitForgotten: "sessions forgotten for cross-session insights", "セッション横断の分析から外したセッション";
    KeyLogUsed: "Keys: {secrets} secrets, of key logs or inside the capture; {count} sessions were decrypted with them.",
        "鍵: 鍵ログまたはキャプチャ内の鍵{secrets}個。{count}セッションを復号しました。";
    KeyLogDamaged: "Key logs: {count} damaged lines were passed over.", "鍵ログ: 破損した{count}行を無視しました。";
    KeyLogNothing: "Key logs: not one secret was found in them ({count} other lines).", "鍵ログ: 使える鍵がありません(ほかの行: {count})。";
    KeysBehindFrames: "{count} keys stand behind packets in the capture, and {sessions} TLS sessions have none: keys open only what comes later. Name the key log with --keylog, or put them first: editcap --inject-secrets tls,KEYS in.pcapng out.pcapng.",
        "キャプチャの途中に鍵が{count}個あり、鍵のないTLSセッションが{sessions}件あります。鍵で復号できるのは、それより後ろだけです。--keylog で鍵ログを指定するか、editcap --inject-secrets tls,KEYS in.pcapng out.pcapng で鍵を先頭に入れてください。";
    LimitKeys: "keys not kept", "保持しきれなかった鍵";
    NoMail: "No connection on a mail port ({ports}) is in this capture.", "メールのポート({ports})の接続は、このキャプチャにはありません。";

    // Table
    HeadSession: "#", "番号";
    HeadTime: "Time", "時刻";
    HeadClientServer: "Client → server", "クライアント → サーバー";
    HeadServer: "Server", "サーバー";
    HeadSecurity: "Protection", "保護";
    HeadResult: "Result", "結果";
    SessionsCounted: "{count} sessions, by first frame (# is its number):", "セッション: {count}件(番号は最初のフレームの番号です)";
    OneSession: "1 session (# is the number of its first frame):", "セッション: 1件(番号は最初のフレームの番号です)";
    SessionsAtAGlance: "{count} sessions at a glance:", "セッション: {count}件(概要)";
    GlanceOutcomes: "Results: {list}", "結果: {list}";
    GlanceCause: "{title} (clients: {clients}, servers: {servers})", "{title}: クライアント{clients}、サーバー{servers}";
    OutcomeEntry: "{name} {count}", "{name}{count}件";
    FailedSessions: "The first {shown} of the sessions that failed ({count}), by first frame (# is its number):",
        "失敗したセッション{count}件のうち最初の{shown}件(番号は最初のフレームの番号です)";
    EverySessionHint: "--format jsonl lists every session, --filter chooses.",
        "--format jsonl ですべてのセッションを出力し、--filter で絞り込めます。";
    FurtherSessions: "… and {count} further sessions.", "ほか{count}件のセッション。";
    Further: "+{count}", "ほか{count}件";

    // Security
    SecurityNone: "none", "なし(平文)";
    SecurityStartTls: "STARTTLS", "STARTTLS";
    SecurityImplicit: "implicit TLS", "接続時からTLS";
    SecurityStartTlsVersion: "STARTTLS {version}", "STARTTLS {version}";
    SecurityImplicitVersion: "implicit TLS {version}", "接続時からTLS{version}";

    // Outcomes
    OutcomeAccepted: "accepted", "受理";
    OutcomePartlyAccepted: "partly accepted", "一部受理";
    OutcomeRefused: "refused", "拒否";
    OutcomeDeferred: "deferred", "一時拒否";
    OutcomeAuthenticationFailed: "login rejected", "認証失敗";
    OutcomeLoggedIn: "logged in", "ログイン成功";
    OutcomeTlsFailed: "TLS not established", "TLS不成立";
    OutcomeNoConnection: "no connection", "接続不成立";
    OutcomeNoDialogue: "no dialogue", "対話なし";
    OutcomeAborted: "broken off", "中断";
    OutcomeNothingTried: "no mail tried", "送信なし";
    OutcomeEncrypted: "encrypted", "暗号化(結果は不明)";
    OutcomeUnknown: "cannot be told", "不明";

    // Stories
    Session: "Session {id}", "セッション{id}";
    StoryAt: "{client} → {server}, {time}", "{client} → {server}、{time}";
    SeverityFail: "FAILED", "失敗";
    SeverityRisk: "RISK", "リスク";
    SeverityNote: "NOTE", "参考";
    SeverityLimit: "LIMIT", "制約";
    SeverityOk: "OK", "正常";
    Why: "Why", "理由";
    ToDo: "What to do", "対処";
    Proof: "Proof", "証拠";
    HowSure: "How sure", "確度";
    ActorClient: "client", "クライアント側";
    ActorServer: "server", "サーバー側";
    ActorNetwork: "network", "ネットワーク側";
    ActorCapture: "capture", "取得";
    Frame: "frame {frame}", "フレーム{frame}";
    Frames: "frames {first}–{last}", "フレーム{first}〜{last}";
    FromClient: "client", "クライアント";
    FromServer: "server", "サーバー";
    ConfidenceConfirmed: "confirmed by what the packets say", "パケットの内容から確認できます";
    ConfidenceLikely: "likely: clear facts, no other explanation left", "可能性が高い(明確な事実に基づき、ほかの説明が残りません)";
    ConfidencePossible: "possible: this capture alone cannot decide", "可能性がある(このキャプチャだけでは断定できません)";
    ConfidenceInferred: "inferred from record sizes and timing; the content is encrypted",
        "推定(内容は暗号化されており、レコード長と時刻からの推定です)";
    ConfidenceUnknown: "cannot be told from this capture", "このキャプチャからは分かりません";
    Consequences: "Because of this", "これに伴うもの";
    AlsoSeen: "Also seen", "このほかに見えたもの";
    AndFurther: "… and {count} more.", "ほか{count}件。";
    ExplainedAbove: "Nothing of its own: see above, several sessions together.", "単独での対応は不要です。上の「セッション横断で分かること」をご覧ください。";
    TogetherHeading: "Several sessions together", "セッション横断で分かること";
    TogetherSoFar: "Several sessions together, so far", "セッション横断で分かること（現時点）";
    NoLongerSo: "No longer so, after further sessions: {what}", "その後のセッションにより取り消し：{what}";
    InsightsAlike: "The same of {count} others:", "ほか{count}件で同じことが起きています:";
    SameIn: "The same in sessions: {ids}.", "セッション{ids}も同じです。";
    OnSessions: "sessions {ids}", "セッション {ids}";
    CausesHeading: "Causes", "原因";
    CauseCount: "{sessions} sessions, one cause: {title}", "{sessions}セッション、原因は1つ: {title}";
    CauseClients: "clients: {list}", "クライアント: {list}";
    CauseServers: "servers: {list}", "サーバー: {list}";
    ListEntry: "{name} ({count})", "{name}({count}件)";
    ListOneEach: "{names}, {further}; one session each", "{names}, {further}(各1セッション)";
    ListFurther: "{count} more", "ほか{count}";
    RisksHeading: "Works, but exposed or about to break", "動作しているが、危険または今後問題になるもの";
    AllHealthy: "No failure was seen in this capture.", "このキャプチャに失敗は見られませんでした。";
    AllHealthyEncrypted: "No failure was seen. {count} sessions are encrypted: what was said inside cannot be told.",
        "失敗は見られませんでした。{count}セッションは暗号化されており、中の結果は分かりません。";
    SecretNotice: "Passwords and tokens are masked. The capture itself holds them: keep it safe.",
        "パスワードやトークンは表示していません。キャプチャファイル自体には含まれるため、取り扱いに注意してください。";
    ShowHint: "smtpcap show {file} --session {id} shows a session as a ladder.",
        "smtpcap show {file} --session {id} で、セッションのやり取りを表示できます。";

    // Ladder
    LadderTitle: "Session {id}: {client} → {server} ({service}), {outcome}", "セッション{id}: {client} → {server}({service})、{outcome}";
    LadderSyn: "SYN", "SYN";
    LadderSynAck: "SYN, ACK", "SYN, ACK";
    LadderSynAgain: "SYN again, {count} times, last after {duration}", "SYNを{count}回再送(最後は{duration}後)";
    LadderAck: "ACK: connected", "ACK(接続完了)";
    LadderFin: "FIN: closes its side", "FIN(送信終了)";
    LadderReset: "RST: connection reset", "RST(強制切断)";
    LadderResetIgnored: "RST that does not fit, ignored", "合わないRST(無視)";
    LadderGap: "{octets} octets missing from the capture", "キャプチャに{octets}オクテットの欠けがあります";
    LadderMailData: "mail data, {octets} octets", "メール本文 {octets}オクテット";
    LadderLoginReadable: "(login as {user}, password or token {secret}: readable on the way)", "(ログイン: ユーザー名 {user}、パスワードまたはトークン {secret}。経路上で読めます)";
    LadderDecrypted: "from here on decrypted with keys", "ここから鍵で復号した内容";
    LadderLoginInside: "(login as {user}, password or token {secret}: inside TLS)",
        "(ログイン: ユーザー名 {user}、パスワードまたはトークン {secret}。TLSの中で送られています)";
    LadderLoginResponse: "(login as {user}, challenge response {secret})", "(ログイン: ユーザー名 {user}、チャレンジ応答 {secret})";
    HelpUsage: "Usage", "使い方";
    ManName: "NAME", "名前";
    ManSynopsis: "SYNOPSIS", "書式";
    ManDescription: "DESCRIPTION", "説明";
    ManVersion: "VERSION", "バージョン";
    HelpOptions: "Options", "オプション";
    HelpArguments: "Arguments", "引数";
    HelpCommands: "Commands", "コマンド";
    HelpCommand: "COMMAND", "コマンド";
    HelpHelp: "Print help", "ヘルプを表示します";
    HelpVersion: "Print version", "バージョンを表示します";
    HelpValues: " [possible values: {values}]", " [値: {values}]";
    HelpDefault: " [default: {value}]", " [既定: {value}]";
    UsageUnknown: "unknown argument {argument}", "不明な引数です: {argument}";
    UsageCommand: "unknown command {command}", "不明なコマンドです: {command}";
    UsageNoValue: "{argument} needs a value", "{argument} に値がありません";
    UsageValue: "{value} is no value for {argument}", "{argument} に「{value}」は指定できません";
    UsageMissing: "missing: {argument}", "必要な引数がありません: {argument}";
    UsageConflict: "{argument} cannot be used with {other}", "{argument} は {other} と同時に指定できません";
    UsageOther: "the command line cannot be understood", "コマンドラインを解釈できません";
    UsageValid: "possible values: {value}", "指定できる値: {value}";
    UsageSuggestion: "did you mean {value}?", "もしかして: {value}";
    UsageMore: "More: --help", "詳しくは --help を指定してください。";
    LadderSuites: ", {count} suites", "、暗号スイート{count}個";
    LadderHelloRetry: "HelloRetryRequest, group {group}", "HelloRetryRequest、グループ {group}";
    LadderNoCertificate: "Certificate: none", "証明書:なし";
    LadderSni: ", SNI {name}", "、SNI {name}";
    IcmpNetworkUnreachable: "network unreachable", "ネットワーク到達不能";
    IcmpHostUnreachable: "host unreachable", "ホスト到達不能";
    IcmpProtocolUnreachable: "protocol unreachable", "プロトコル到達不能";
    IcmpPortUnreachable: "port unreachable", "ポート到達不能";
    IcmpFragmentationNeeded: "fragmentation needed", "フラグメントが必要";
    IcmpProhibited: "administratively prohibited", "管理上の理由で禁止";
    IcmpUnreachable: "destination unreachable", "宛先到達不能";
    IcmpTimeExceeded: "time exceeded", "TTL超過など時間切れ";
    IcmpParameterProblem: "parameter problem", "パラメーター不正";
    IcmpNoRoute: "no route to destination", "宛先への経路なし";
    IcmpAddressUnreachable: "address unreachable", "アドレス到達不能";
    IcmpSourcePolicy: "source address failed policy", "送信元アドレスがポリシー違反";
    IcmpRejectRoute: "reject route", "拒否経路";
    IcmpTooBig: "packet too big", "パケット過大";
    IcmpOther: "other", "その他";
    LadderResumed: ", resumed", "(セッション再開)";
    LadderNoReply: "no reply was seen", "応答は見られませんでした";
    LadderHiddenReply: "the reply, if any, is not in the capture", "応答はキャプチャに含まれていません(有無は不明)";
    LadderEncrypted: "encrypted: {client} octets from the client, {server} from the server; content cannot be read",
        "暗号化: クライアントから{client}オクテット、サーバーから{server}オクテット(内容は読めません)";
    LadderCertificate: "Certificate {subject}, issued by {issuer}, valid until {until}", "証明書 {subject}、発行者 {issuer}、期限 {until}";
    LadderEncryptedAlert: "encrypted alert ({octets} octets)", "暗号化されたアラート({octets}オクテット)";
    LadderRetransmissions: "{count} segments were retransmitted", "{count}セグメントが再送されました";
    LadderTlsFrom: "TLS begins", "TLS開始";
    SessionByOrdinal: "No session has the number {id}; showing the {id}. session of this capture, which has the number {found}.",
        "番号{id}のセッションはありません。{id}番目のセッション(番号{found})を表示します。";
    NoSuchSession: "No session {id} in this capture. There are: {ids}.", "セッション{id}はこのキャプチャにありません。あるのは次の番号です: {ids}";

    // Explain and rules
    Meaning: "Meaning", "意味";
    Actors: "Who acts", "対処する側";
    References: "References", "参考文献";
    DidYouMean: "Nothing is known as \"{what}\". Did you mean: {list}?", "「{what}」に当たる項目はありません。もしかして: {list}";
    NothingKnown: "Nothing is known as \"{what}\". Try a rule slug (smtpcap rules), an alert number or name, a reply code (550), an enhanced status code (5.7.1), an AUTH mechanism, an EHLO keyword, a provider (docomo) or the words of a reply (\"User unknown\").",
        "「{what}」に当たる項目はありません。ルール名(smtpcap rules)、アラートの番号か名前、応答コード(550)、拡張ステータスコード(5.7.1)、認証方式、EHLOキーワード、事業者(docomo)、応答の文言(\"User unknown\")のいずれかを指定してください。";
    ProviderPage: "{provider} on this: {page}", "{provider}の案内: {page}";
    KindRule: "rule", "ルール";
    KindProvider: "provider", "事業者";
    KindProviderText: "text of a provider", "事業者の応答文";
    KnownByHosts: "Known by the names of its servers: {hosts}.", "サーバー名で判別: {hosts}";
    SeenAt: "Seen at: {places}.", "返される段階: {places}";
    StageConnect: "greeting", "接続時(グリーティング)";
    StageEnd: "end of data", "本文の後";
    OnlyOfOwnServer: "Others use these words, too: read so only where the server is one of {provider}.",
        "ほかのサーバーも使う文言のため、{provider}のサーバーの場合にだけこう読みます。";
    KindWords: "words of a reply", "応答の文言";
    KindAlert: "TLS alert", "TLSアラート";
    KindReplyCode: "SMTP reply code", "SMTP応答コード";
    KindEnhanced: "enhanced status code", "拡張ステータスコード";
    KindMechanism: "authentication mechanism", "認証方式";
    KindKeyword: "EHLO keyword", "EHLOキーワード";
    KindResponseCode: "POP3/IMAP response code", "POP3・IMAP応答コード";
    HeadSlug: "Rule", "ルール";
    HeadLayer: "Layer", "層";
    HeadSeverity: "Severity", "重大度";
    HeadConfidence: "Confidence", "確度";
    HeadTitle: "Title", "題";

    // Live
    LiveNotice: "You are about to watch other people's mail. The secrecy of communications is protected by law (in Japan: Constitution Art. 21(2), Telecommunications Business Act Art. 4, Wire Telecommunications Act Art. 9). Watch only with authority, only the ports you need, and keep what you record no longer than you need it.",
        "これから他者の通信を監視します。通信の秘密は法律で保護されています(日本国憲法第21条第2項、電気通信事業法第4条、有線電気通信法第9条)。権限のある範囲で、必要なポートだけを対象とし、記録は不要になったら速やかに削除してください。";
    LiveStillOpen: "still open when stopped", "監視終了時点で継続中";
    LiveAsIn: "(as in #{id})", "(#{id}と同じ)";
    LiveTls: "TLS", "TLS";
    LivePlain: "plaintext", "平文";
    LiveOpenHeading: "Open now: sessions {count}, unanswered SYNs {syns}.", "現在継続中: {count}セッション、応答待ちのSYN {syns}件。";
    LiveOpenLine: "{client} → {server}, {tls}: open for {age}, silent for {silent}, {up} octets from the client, {down} from the server",
        "{client} → {server}、{tls}: 開始から{age}、最後のパケットから{silent}、クライアントから{up}オクテット、サーバーから{down}オクテット";
    LiveSummary: "{from} to {to}, sessions ended: {count}", "{from}〜{to}: {count}セッション終了";
    LiveSummaryAll: "The whole watch, {from} to {to}, sessions: {count}", "監視全体({from}〜{to}): {count}セッション";
    LiveSummaryNothing: "No session has ended.", "終了したセッションはありません。";
    LiveOutcomes: "Results: {list}", "結果: {list}";
    LiveVersions: "TLS versions used: {list}", "使われたTLSバージョン: {list}";
    LiveCause: "{title} ({sessions})", "{title}({sessions}件)";
    LiveOldClients: "Clients below TLS 1.2 (they break when it becomes the minimum): {list}", "TLS1.2未満のクライアント(下限をTLS1.2にすると接続できなくなります): {list}";
    LiveWatching: "Watching {name}. Ctrl-C ends it; SIGUSR1 lists the open sessions.", "{name}を監視しています。終了はCtrl-C、継続中のセッションの一覧はSIGUSR1です。";
    LiveKeys: "Keys: o lists the open sessions, s shows a summary, q ends.", "キー操作: o=継続中のセッションの一覧、s=集計、q=終了";
    LiveInBlocks: "The capture comes in blocks, not packet by packet, so sessions are told late and silence is not believed: start tcpdump with -U.",
        "キャプチャがパケットごとではなくブロック単位で届いています。表示が遅れ、無通信の判定も行えません。tcpdumpには-Uを付けてください。";
    LiveWriteFailed: "{file}: cannot be written: {reason}. The analysis goes on; writing is tried again every second.",
        "{file}: 書き込めません: {reason}。解析は続け、1秒ごとに書き込みを再試行します。";
    LiveWritesAgain: "{file}: writing again; {lost} records were lost in between.", "{file}: 書き込みを再開しました。この間に{lost}件の記録が失われました。";
    LiveNotWritten: "{file}: {lost} records could not be written.", "{file}: {lost}件の記録を書き込めませんでした。";
    LiveReopened: "Outputs were opened again.", "出力ファイルを開き直しました。";
    LiveCannotReopen: "{file}: cannot be opened again: {reason}. The old file is written on.", "{file}: 開き直せません: {reason}。元のファイルに書き続けます。";
    LiveMetricsAt: "Metrics at http://{address}/metrics", "メトリクス: http://{address}/metrics";
    LiveMetricsAddress: "--metrics {address}: expected an address and a port such as 127.0.0.1:9465", "--metrics {address}: 127.0.0.1:9465 のようにアドレスとポートを指定してください";
    LiveMetricsNotLoopback: "--metrics {address} would show the figures to the network; name a loopback address (127.0.0.1:9465), or add --metrics-on-network if that is what you want",
        "--metrics {address}: 統計がネットワークに公開されます。ループバックアドレス(127.0.0.1:9465)を指定するか、意図した公開であれば --metrics-on-network を付けてください";
    LiveMetricsCannot: "--metrics {address}: cannot listen: {reason}", "--metrics {address}: 待ち受けできません: {reason}";
    LiveBadDuration: "{flag} {text}: expected a duration such as 30s, 10m or 1h", "{flag} {text}: 30s、10m、1h のように時間を指定してください";
    LiveFormat: "--format json needs an end, and live has none: use table or jsonl", "--format json は終わりのある解析用です。live では table か jsonl を指定してください";
    LiveFolder: "{folder}: cannot be used: {reason}", "{folder}: 使用できません: {reason}";
    LiveInterfaceUp: "up", "稼働中";
    LiveInterfaceDown: "down", "停止中";
    LiveInterfaceAny: "all of them", "すべてのインターフェース";
    LiveNoInterfaces: "The interfaces cannot be listed: /sys is not mounted, and no program that captures has a list. Mount /sys, or name an interface with -i.",
        "インターフェースの一覧を取得できません。/sysがマウントされておらず、キャプチャ用プログラムからも得られません。/sysをマウントするか、-iでインターフェース名を指定してください。";
    LiveNoSuchUser: "--user {user}: there is no such user on this system", "--user {user}: このシステムにそのユーザーはいません";
    LiveFramesMissing: "{count} frames of this session were no longer kept", "このセッションの{count}フレームは、すでに保持されていませんでした";
    LiveFailedFile: "frames: {file}", "フレームの保存先: {file}";
    LiveFailedSkipped: "{count} failed sessions were not written to {folder}: more than {limit} in a minute.", "失敗したセッションのうち{count}件は{folder}に保存していません(1分間に{limit}件を超えたため)。";

    // Errors
    ErrorPrefix: "smtpcap: error: {what}", "smtpcap: エラー: {what}";
    WarningPrefix: "smtpcap: warning: {what}", "smtpcap: 警告: {what}";
    CannotOpen: "{file}: cannot be opened: {reason}", "{file}: 開けません: {reason}";
    CannotRead: "{file}: cannot be read at offset {offset}: {reason}", "{file}: オフセット{offset}で読み取れません: {reason}";
    NotACapture: "{file}: not a capture: expected pcap or pcapng (plain, gzip, zstd or lz4) at offset 0, found {found}",
        "{file}: キャプチャファイルではありません: オフセット0にpcapまたはpcapng(無圧縮、gzip、zstd、lz4)があるはずですが、{found}でした";
    FoundNothing: "nothing: the file is empty", "空(0オクテット)";
    FoundText: "text", "テキスト";
    FoundZeros: "zeros", "ゼロの並び";
    FoundProgram: "a program (ELF)", "プログラム(ELF)";
    CompressedTwice: "{file}: compressed twice ({inner} inside {outer}); one layer is read: decompress it once first",
        "{file}: 二重に圧縮されています({outer}の中に{inner})。一度展開してから指定してください";
    NotDecompressed: "{file}: cannot be decompressed: expected {expected} at offset {offset}, found {found}",
        "{file}: 展開できません: オフセット{offset}に{expected}があるはずですが、{found}でした";
    CannotWrite: "{file}: cannot be written: {reason}", "{file}: 書き込めません: {reason}";
    BadFilter: "--filter {text}: {reason}", "--filter {text}: {reason}";
    FilterExpected: "\"{text}\": expected one of: {expected}", "「{text}」は使えません。指定できるのは次のいずれか: {expected}";

    // Capture program
    NoCaptureProgram: "No capture program is installed. Install smtpcap-capture beside smtpcap, or tcpdump, or Wireshark's dumpcap (Debian, Ubuntu: apt install tcpdump; RHEL, Fedora: dnf install tcpdump).",
        "取得プログラムがありません。smtpcapと同じ場所にsmtpcap-captureを置くか、tcpdumpまたはWiresharkのdumpcapをインストールしてください(Debian、Ubuntu: apt install tcpdump。RHEL、Fedora: dnf install tcpdump)。";
    CaptureProgramNotFound: "{path}: no such program, or it may not be executed.", "{path}: プログラムが見つからないか、実行できません。";
    NoInterfaceNamed: "Name an interface (-i NAME); smtpcap live --list-interfaces shows them.",
        "インターフェースを指定してください(-i 名前)。一覧は smtpcap live --list-interfaces で表示できます。";
    OneInterfaceOnly: "{program} captures on one interface only: use -i any, or install smtpcap-capture or dumpcap.",
        "{program}は1つのインターフェースしか取得できません。-i any を使うか、smtpcap-captureまたはdumpcapをインストールしてください。";
    CannotStartProgram: "{path}: cannot be started: {reason}", "{path}: 起動できません: {reason}";
    NoCapturePermission: "{program} may not capture. Allow it once, as root: setcap cap_net_raw,cap_net_admin+ep {path}",
        "{program}にパケット取得の権限がありません。rootで一度だけ実行してください: setcap cap_net_raw,cap_net_admin+ep {path}";
    NoSuchInterface: "No such interface, or it is down ({said}); smtpcap live --list-interfaces shows them.",
        "インターフェースが存在しないか、停止しています({said})。一覧は smtpcap live --list-interfaces で表示できます。";
    BadCaptureFilter: "The capture filter is not valid ({said}); see pcap-filter(7).",
        "キャプチャフィルターが正しくありません({said})。書式は pcap-filter(7) を参照してください。";
    InterfaceGone: "The interface went away ({said}).", "インターフェースがなくなりました({said})。";
    CaptureStopped: "{program} ended ({how}): {said}", "{program}が終了しました({how}): {said}";
    CaptureStoppedSilently: "{program} ended ({how}) and said nothing.", "{program}が終了しました({how}、メッセージなし)。";
    EndedWithStatus: "exit code {number}", "終了コード{number}";
    EndedBySignal: "signal {number}", "シグナル{number}";
    InterfaceIsDown: "Interface {name} is down; capture goes on when it is back.",
        "インターフェース{name}が停止しました。復帰すれば取得を再開します。";
    InterfaceIsUp: "Interface {name} is up again; mail in between was not seen.",
        "インターフェース{name}が復帰しました。その間のメールは見えていません。";
    InterfaceIsGone: "Interface {name} was removed; start again once it is back.",
        "インターフェース{name}が削除されました。復帰したら起動し直してください。";

    // Sandbox
    SandboxRoot: "Captured octets are not decoded as root: name another user (--user).",
        "rootのままでは解析しません。ほかのユーザーを指定してください(--user)。";
    SandboxThreads: "The sandbox must be entered before threads are started ({count} are running). Please report this.",
        "スレッド開始前にサンドボックスへ入れませんでした(実行中: {count})。不具合としてご報告ください。";
    SandboxPrivileges: "Privileges cannot be given up: {reason}", "権限を放棄できません: {reason}";
    SandboxStillPrivileged: "A privilege is left after all were given up; nothing is decoded.",
        "権限を放棄したはずですが残っています。解析は行いません。";
    SandboxPath: "{path}: {reason}", "{path}: {reason}";
    SandboxUnwritable: "{path}: the user that decodes cannot write there: give the folder to that user, or name another (--user).",
        "{path}: 解析を行うユーザーには書き込めません。フォルダーの所有者を変えるか、--userで別のユーザーを指定してください。";
    SandboxMissing: "--sandbox strict: not in force: {list}", "--sandbox strict: 有効にできないものがあります: {list}";
    SandboxInForce: "Sandbox: {list}", "サンドボックス: {list}";
    SandboxPiece: "{piece}: {state}", "{piece}: {state}";
    PieceUser: "not root", "root以外のユーザー";
    PieceCapabilities: "no capabilities", "ケーパビリティなし";
    PieceNoNewPrivileges: "no_new_privs", "no_new_privs";
    PieceFiles: "files and network (Landlock)", "ファイルと通信(Landlock)";
    PieceCalls: "system calls (seccomp)", "システムコール(seccomp)";
    StateApplied: "in force", "有効";
    StatePartly: "in force as far as this kernel goes", "カーネルの対応範囲で有効";
    StateNotSupported: "not supported by this kernel", "カーネルが未対応";
    StateLeftOut: "left out as asked", "指定により無効";
    StateFailed: "refused ({reason})", "設定に失敗({reason})";
}

impl Message {
    /// The message with its values, each already in the reader's language and safe for the sink.
    #[must_use]
    pub fn say(self, language: Language, values: &[(&str, &str)]) -> String {
        let mut said = String::new();
        let mut rest = self.template(language);
        while let Some((before, behind)) = rest.split_once('{') {
            said.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                break;
            };
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                said.push_str(value);
            }
            rest = after;
        }
        said.push_str(rest);
        said
    }

    /// The message without values.
    #[must_use]
    pub const fn word(self, language: Language) -> &'static str {
        self.template(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(template: &str) -> Vec<&str> {
        let mut names: Vec<_> = template
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn both_languages_say_every_message_with_the_same_values() {
        for message in Message::ALL {
            let (english, japanese) = (
                message.template(Language::English),
                message.template(Language::Japanese),
            );
            assert!(!english.is_empty() && !japanese.is_empty(), "{message:?}");
            assert_eq!(names(english), names(japanese), "{message:?}");
        }
    }

    #[test]
    fn values_take_their_places() {
        assert_eq!(Message::Session.say(Language::English, &[("id", "7")]), "Session 7");
        assert_eq!(Message::Session.say(Language::Japanese, &[("id", "7")]), "セッション7");
    }
}
