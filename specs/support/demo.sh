#!/usr/bin/env bash
# Compile the support project, run it with recorded models, one of them prompt-injected, and check the audit log.
# `make demo` sets up and runs it. Needs nothing but the core install and port 8931.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=.demo
rm -rf "$work" && mkdir -p "$work"
export HELPDESK_TOKEN=demo-token # the service's own; it is no secret
unset OPENAI_API_KEY ANTHROPIC_API_KEY # the recorded models answer

python specs/support/service/helpdesk.py --port 8931 >"$work/helpdesk.log" 2>&1 &
service=$!
stop() {
  kill "$service" 2>/dev/null || true
  wait "$service" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
until grep -q '^http' "$work/helpdesk.log"; do
  if ! kill -0 "$service" 2>/dev/null; then
    echo "the helpdesk did not start: $(tail -n 1 "$work/helpdesk.log")" >&2
    echo "the demo needs port 8931: stop what listens there, then run it again" >&2
    exit 1
  fi
  sleep 0.05
done

say() { printf '\n# %s\n' "$@"; }
step() {
  printf '$ %s\n' "$1"
  bash -c "$1" 2>&1
}

say "Check the specs as a compiler does."
step "agentc validate specs/support"

say "Compile them. The same specs give the same bytes on any machine."
step "agentc build specs/support --out $work/dist"

say "What a reviewer reads: all that the agent may do (the first lines of it)."
step "agentc inspect $work/dist/triage-1.0.0 | head -n 29"

say "A customer's cup arrived broken. The agent may refund it, if a person agrees: \`y\`, and \`y\` to the reply."
step "printf 'y\ny\n' | agentc run specs/support --input '{\"ticket_id\": \"T-1001\"}' --session '{\"customer_id\": \"C-17\"}' --store $work/runs.db"

say "The next ticket holds a prompt injection."
step "sed -n '/^--- SYSTEM/,/^3/p' specs/support/service/helpdesk.py"

say "The model obeys it, and nobody is there to ask. Each try is refused, with the spec line that refuses it."
step "agentc run specs/support --input '{\"ticket_id\": \"T-1002\"}' --session '{\"customer_id\": \"C-17\"}' --store $work/runs.db </dev/null"

say "What reached the helpdesk: the refund and the reply that a person agreed to, and the ticket handed to one."
step "grep ^POST $work/helpdesk.log"

say "Every decision is in the audit log."
step "agentc audit verify --store $work/runs.db"

say "Now somebody changes one byte of it: 4000 becomes 4001."
python - "$work/runs.db" <<'PY'
import sqlite3
import sys

base = sqlite3.connect(sys.argv[1])
amount = '"value":4000'  # the amount that was refused; the digits alone may stand in any digest
(seq, payload) = base.execute(
    "SELECT seq, payload FROM audit WHERE payload LIKE ?", (f"%{amount}%",)
).fetchone()
with base:
    changed = payload.replace(amount, '"value":4001')
    base.execute("UPDATE audit SET payload = ? WHERE seq = ?", (changed, seq))
PY
if step "agentc audit verify --store $work/runs.db"; then
  echo "the change was not found" >&2
  exit 1
else
  echo "exit code $?"
fi
