//! The help of the command line in Japanese: the English text of a command or an argument, as it stands in
//! `cli/args.rs`, is the key.

/// English, Japanese.
const HELP: &[(&str, &str)] = &[
    (
        "Says in plain words why the mail did not go, from a packet capture",
        "メールが送れなかった理由を、パケットキャプチャから分かりやすい言葉で説明します",
    ),
    (
        "Sessions, findings and what several sessions show together, of one or several captures",
        "キャプチャファイル(複数可)のセッション、診断結果、セッション横断で分かることを表示します",
    ),
    (
        "The same, as sessions end, for days: from a pipe",
        "セッションが終わるたびに同じ診断を表示します(常時監視用。インターフェースまたはパイプから)",
    ),
    (
        "One session as a ladder with its story",
        "1つのセッションをシーケンス図と説明で表示します",
    ),
    (
        "What a rule, alert, reply code, enhanced code, AUTH mechanism or EHLO keyword means",
        "診断ルール、アラート、応答コード、拡張ステータスコード、認証方式、EHLOキーワードの意味を説明します",
    ),
    ("Every rule", "すべての診断ルールを一覧表示します"),
    ("JSON Schema of the JSON output", "JSON出力のJSON Schemaを表示します"),
    (
        "Completions for a shell, on standard output",
        "シェルの補完スクリプトを標準出力に書き出します",
    ),
    (
        "The manual page, on standard output",
        "マニュアルページを標準出力に書き出します",
    ),
    (
        "Language of the texts (default: from LC_ALL, LC_MESSAGES, LANG)",
        "表示言語(既定はLC_ALL、LC_MESSAGES、LANGから判断)",
    ),
    ("Colours", "色を付けるかどうか"),
    ("ASCII ornaments only", "罫線や矢印にASCII文字だけを使います"),
    ("How times are shown", "時刻の表示形式"),
    (
        "Columns of the output (default: the terminal's, else 100)",
        "出力の桁数(既定は端末の幅。端末でなければ100)",
    ),
    (
        "Server ports whose connections are mail, besides 24, 25, 110, 143, 465, 587, 993, 995 and 2525",
        "メールとして扱うサーバーのポート番号を追加します(24, 25, 110, 143, 465, 587, 993, 995, 2525は指定不要)",
    ),
    (
        "Key log (SSLKEYLOGFILE) that opens TLS; may be repeated. Keys inside a pcapng file are used without it",
        "TLSを復号する鍵ログ(SSLKEYLOGFILE)。繰り返し指定できます。pcapngに含まれる鍵は指定なしで使います",
    ),
    (
        "Show passwords, tokens and challenge responses instead of masking them",
        "パスワード、トークン、チャレンジ応答を伏せずに表示します",
    ),
    ("Keep and show message texts", "メールの本文を保持して表示します"),
    (
        "Threads (default: one for each core); the report is the same for any number",
        "スレッドの数(既定はコア数)。数を変えても結果は同じです",
    ),
    (
        "Memory for the state of connections, in MB",
        "接続の状態に使うメモリー(MB)",
    ),
    (
        "Captures: pcap or pcapng, plain or gzip, zstd, lz4; \"-\" is standard input",
        "キャプチャファイル。pcapまたはpcapng(gzip、zstd、lz4圧縮も可)。「-」は標準入力",
    ),
    ("Form of the report", "出力の形式"),
    (
        "Show only sessions that match: client=, server=, service=, outcome=, severity=, finding=; comma: and; repeated: or",
        "条件に合うセッションだけを表示します: client=, server=, service=, outcome=, severity=, finding=。カンマはAND、繰り返しはOR",
    ),
    (
        "Exit with 1 where a finding of this severity or graver is there",
        "この重大度以上の診断結果があれば終了コード1で終わります",
    ),
    (
        "Write the report to a file, readable only by you",
        "結果をファイルに書き出します(本人だけが読める権限)",
    ),
    (
        "More about the run, on standard error",
        "実行の詳細を標準エラー出力に表示します",
    ),
    (
        "Watch these interfaces of this machine; \"any\" is all of them",
        "監視するインターフェース。「any」はすべて",
    ),
    (
        "List the interfaces of this machine",
        "インターフェースを一覧表示します",
    ),
    (
        "Capture what this filter (pcap-filter) lets through, instead of the mail ports",
        "メールのポートの代わりに、このフィルター(pcap-filter)に合うものを採取します",
    ),
    (
        "Capture the outer packets of tunnels as well (GRE, VXLAN, Geneve, IP in IP, PPPoE, MPLS)",
        "トンネル(GRE、VXLAN、Geneve、IP-in-IP、PPPoE、MPLS)の外側のパケットも採取します",
    ),
    (
        "Octets captured of a packet at most",
        "1パケットあたりの採取バイト数の上限",
    ),
    (
        "Kernel memory for packets that wait, for each interface, in MiB",
        "待ちパケットに使うカーネルメモリー(インターフェースごと、MiB)",
    ),
    (
        "Only packets from and to this machine",
        "このマシン自身のパケットだけを採取します(プロミスキャスモードを使いません)",
    ),
    (
        "The program that captures (default: smtpcap-capture, else dumpcap, else tcpdump)",
        "採取に使うプログラム(既定はsmtpcap-capture、なければdumpcap、tcpdump)",
    ),
    (
        "Whom to become when started as root (default: nobody)",
        "rootで起動したときに切り替えるユーザー(既定はnobody)",
    ),
    (
        "Walls around the process that decodes: no privilege, few system calls, few files",
        "解析プロセスの隔離(特権なし、システムコールとファイルを制限)",
    ),
    (
        "Where the capture comes from: \"-\" is standard input (ssh host tcpdump -U -w - … | smtpcap live -), else a named pipe",
        "キャプチャの入力元。「-」は標準入力(ssh host tcpdump -U -w - … | smtpcap live -)、それ以外は名前付きパイプ",
    ),
    (
        "Form of the output: table for people, jsonl for programs",
        "出力の形式(tableは人向け、jsonlはプログラム向け)",
    ),
    (
        "Exit with 1 where a finding of this severity or graver was there",
        "この重大度以上の診断結果があった場合に終了コード1で終わります",
    ),
    (
        "Add to a file, readable only by you; SIGHUP opens it again",
        "ファイルに追記します(本人だけが読める権限)。SIGHUPで開き直します",
    ),
    (
        "A summary this often (30s, 10m, 1h; 0s: only at the end)",
        "集計を表示する間隔(30s、10m、1hなど。0sは終了時のみ)",
    ),
    (
        "How long sessions are remembered for findings on several of them",
        "セッション横断の診断のために記憶する期間",
    ),
    (
        "Figures for Prometheus at this loopback address, such as 127.0.0.1:9465",
        "Prometheus用の数値を公開するループバックアドレス(例: 127.0.0.1:9465)",
    ),
    (
        "Allow --metrics an address that is no loopback address",
        "--metricsにループバック以外のアドレスを許可します",
    ),
    (
        "Keep the mail traffic as rotated pcapng files in this folder",
        "メールの通信をこのフォルダーにpcapngで循環保存します",
    ),
    (
        "Files of the ring; the oldest is deleted beyond it",
        "循環保存するファイルの数(超えると最も古いものを削除)",
    ),
    ("Size of a file of the ring, in MB", "循環保存する1ファイルの大きさ(MB)"),
    (
        "Write the frames of each failed session as a pcapng file of its own into this folder",
        "失敗したセッションごとのフレームを、このフォルダーに個別のpcapngで保存します",
    ),
    (
        "Files that --write-failed keeps; the oldest is deleted beyond it",
        "--write-failedで残すファイルの数(超えると最も古いものを削除)",
    ),
    (
        "Memory for recent frames, from which --write-failed takes, in MB",
        "--write-failedのために最近のフレームを保持するメモリー(MB)",
    ),
    ("The capture", "キャプチャファイル"),
    (
        "Number of the session's first frame (the # of `analyze`), or 1, 2, 3 … for the first, second, third session",
        "セッションの最初のフレーム番号(analyzeの「番号」)。または何番目のセッションか(1, 2, 3 …)",
    ),
    (
        "A rule's slug, an alert's number or name, a reply code, an enhanced status code, a mechanism, an EHLO keyword",
        "ルール名、アラートの番号または名前、応答コード、拡張ステータスコード、認証方式、EHLOキーワード",
    ),
    ("Form of the list", "一覧の形式"),
    (
        "Of the document (json) or of one record (jsonl)",
        "文書全体(json)か、1レコード(jsonl)か",
    ),
    ("The shell", "シェルの種類"),
];

/// The Japanese help for an English one; `None` where there is none, which a test forbids.
#[must_use]
pub fn japanese_help(english: &str) -> Option<&'static str> {
    HELP.iter()
        .find(|(known, _)| *known == english)
        .map(|(_, japanese)| *japanese)
}

/// Every English text that has a Japanese one; for the test that none is left over.
pub fn helped() -> impl Iterator<Item = &'static str> {
    HELP.iter().map(|(english, _)| *english)
}
