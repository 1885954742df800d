#!/usr/bin/env bash
# Compile the support project, run it with recorded models, one of them prompt-injected, and check the audit log.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=.demo
rm -rf "$work" && mkdir -p "$work"
export HELPDESK_TOKEN=demo-token
unset OPENAI_API_KEY ANTHROPIC_API_KEY

python specs/support/service/helpdesk.py --port 8931 >"$work/helpdesk.log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null || true' EXIT
for _ in $(seq 50); do
  grep -q '^http' "$work/helpdesk.log" && break
  kill -0 "$service" 2>/dev/null || { echo "the helpdesk did not start:"; cat "$work/helpdesk.log"; exit 1; }
  sleep 0.1
done

say() { printf '\n# %s\n' "$1"; }
step() { printf '$ %s\n' "$1"; bash -c "$1" 2>&1; }

say "Check the specs as a compiler does."
step "agentc validate specs/support"

say "Compile them. The same specs give the same bytes on any machine."
step "agentc build specs/support --out $work/dist"

say "A customer's cup arrived broken. The refund is small, and a person agrees to it."
step "printf 'y\ny\n' | agentc run specs/support --input '{\"ticket_id\": \"T-1001\"}' --session '{\"customer_id\": \"C-17\"}' --store $work/runs.db"

say "The next ticket holds a prompt injection, and the model obeys it. Nobody is there to approve anything."
step "agentc run $work/dist/triage-1.0.0 --replay specs/support/recordings/triage-injected.json --input '{\"ticket_id\": \"T-1002\"}' --session '{\"customer_id\": \"C-17\"}' --store $work/runs.db </dev/null"

say "What reached the helpdesk: one refund, one reply, one escalation."
step "python -c \"import json, urllib.request as u; [print(e) for e in json.load(u.urlopen('http://127.0.0.1:8931/effects'))['effects']]\""

say "The audit log holds every decision, and nobody has changed it."
step "agentc audit verify --store $work/runs.db"

say "Change one byte of it."
python - "$work/runs.db" <<'PY'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("UPDATE audit SET payload = replace(payload, '4000', '4001') WHERE payload LIKE '%4000%'")
base.commit()
PY
step "agentc audit verify --store $work/runs.db" || true
