"""Why these tests are skipped where nobody asked for them: one reason, so that it is shown once."""

REASON = "opt-in against real servers and trainers (set LEMA_INTEROP_...: docs/interop.md)"
