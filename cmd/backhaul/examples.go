package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples are what help shows of commands that bring none of their own, by their names. Each line can be typed as it is.
var examples = map[string]string{
	"catalog":  `backhaul catalog --warehouse /srv/warehouse`,
	"compact":  "backhaul compact\nbackhaul compact --month 2026-10",
	"demo":     "backhaul demo\nbackhaul demo --warehouse /tmp/demo",
	"doctor":   "backhaul doctor nightly.yaml\nbackhaul doctor --repair",
	"emulate":  "backhaul emulate\nbackhaul emulate --listen 127.0.0.1:9000 --faults rate=0.3,kinds=429+500",
	"gc":       "backhaul gc --journals-older-than 180d --dry-run\nbackhaul gc --rows-older-than moz.links=400d",
	"import":   "backhaul import ahrefs-v2 archive/*.json.gz\nbackhaul import moz-v2 reply.json --endpoint anchor_text --target example.com --date 2026-11-23",
	"init":     "backhaul init nightly\nbackhaul init",
	"migrate":  "backhaul migrate\nbackhaul migrate --to-files",
	"notify":   "backhaul notify nightly.yaml\nbackhaul notify nightly.yaml --test",
	"plan":     "backhaul plan nightly.yaml\nbackhaul plan nightly.yaml --json",
	"query":    "backhaul query \"select anchor_text, external_root_domains from moz.anchor_text order by rank limit 20\"\nbackhaul query --format csv \"from marts.anchor_changes\"",
	"replay":   "backhaul replay --job nightly --date 2026-11-23\nbackhaul replay nightly/2026-11-22 nightly/2026-11-23\nbackhaul replay --job nightly --engine temporal",
	"report":   "backhaul report nightly/2026-11-23 -o nightly.html\nbackhaul report --compare nightly/2026-11-22 nightly/2026-11-23\nbackhaul report --mime -o report.eml",
	"run":      "backhaul run nightly.yaml\nbackhaul run nightly.yaml --date 2026-11-23 --max-units moz=5000 --yes\nbackhaul run nightly.yaml --select anchors",
	"status":   "backhaul status\nbackhaul status nightly/2026-11-23",
	"tables":   "backhaul tables\nbackhaul tables moz.anchor_text",
	"validate": "backhaul validate nightly.yaml campaign.yaml",
	"version":  "backhaul version --json",

	"endpoints":  "backhaul endpoints\nbackhaul endpoints moz/links",
	"schema":     "backhaul schema job > job.schema.json",
	"completion": "backhaul completion bash > /etc/bash_completion.d/backhaul",
	"bash":       "backhaul completion bash > /etc/bash_completion.d/backhaul",
	"fish":       "backhaul completion fish > ~/.config/fish/completions/backhaul.fish",
	"powershell": "backhaul completion powershell > backhaul.ps1",
	"zsh":        "backhaul completion zsh > \"${fpath[1]}/_backhaul\"",
	"help":       "backhaul help run\nbackhaul help job",
	"man":        "backhaul man /usr/local/share/man/man1",
	"backhaul":   "backhaul init nightly\nbackhaul plan nightly.yaml\nbackhaul run nightly.yaml",
}

// addExamples gives a command and those below it their examples.
func addExamples(cmd *cobra.Command) {
	if text := examples[cmd.Name()]; cmd.Example == "" && text != "" {
		cmd.Example = "  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	for _, c := range cmd.Commands() {
		addExamples(c)
	}
}
