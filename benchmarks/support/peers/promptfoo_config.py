"""The cases as a project of promptfoo: a provider that answers from the recording, five assertions each."""

from __future__ import annotations

import json
from pathlib import Path

PROVIDER = """\
const fs = require('fs');
const path = require('path');
const data = JSON.parse(fs.readFileSync(path.join(__dirname, 'answers.json'), 'utf8'));
const recorded = new Map(data.rows.map((row) => [row.message, row.recorded]));
module.exports = class {
  id() { return 'recorded'; }
  async callApi(prompt) {
    return { output: recorded.get(prompt), tokenUsage: { total: 80, prompt: 60, completion: 20 } };
  }
};
"""


def write(folder: Path, data: Path) -> Path:
    """The config, beside the answers."""
    read = json.loads(data.read_text(encoding="utf-8"))
    wanted = json.dumps({"label": "returns", "text": "I have looked at order 1 and it is on its way."})
    config = {
        "prompts": ["{{message}}"],
        "providers": ["file://provider.js"],
        "tests": [
            {
                "vars": {"message": row["message"]},
                "assert": [
                    {"type": "equals", "value": row["recorded"]},
                    {"type": "contains", "value": "order"},
                    {"type": "regex", "value": "order [0-9]+"},
                    {"type": "is-json", "value": read["schema"]},
                    {"type": "levenshtein", "value": wanted, "threshold": 60},
                ],
            }
            for row in read["rows"]
        ],
    }
    (folder / "provider.js").write_text(PROVIDER, encoding="utf-8")
    path = folder / "promptfooconfig.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
