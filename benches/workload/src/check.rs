//! smtpcap's report against the truth.
