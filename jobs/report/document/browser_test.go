//go:build browser

package document

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// installed returns what the environment says is there for this test; `make report-check` says so.
func installed(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run `make report-check`", name)
	}
	return value
}

func TestBrowserScriptsAreThoseOfTheirPackages(t *testing.T) {
	modules := installed(t, "REPORT_MODULES")
	for name, from := range map[string]string{
		"chartist.js": "chartist/dist/index.umd.js", "chartist.LICENSE": "chartist/LICENSE-MIT",
		"sortable.js": "sortable-tablesort/dist/sortable.min.js", "sortable.a11y.js": "sortable-tablesort/dist/sortable.a11y.min.js", "sortable.LICENSE": "sortable-tablesort/LICENSE",
	} {
		want, err := os.ReadFile(filepath.Join(modules, from))
		if err != nil {
			t.Fatal(err)
		}
		if asset(name) != string(want) {
			t.Errorf("%s is not the %s that package.json names", name, from)
		}
	}
}

// browser is a headless Chromium, and what it has complained about and asked for.
type browser struct {
	context.Context
	mu    sync.Mutex
	heard []string
}

func open(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	b := &browser{Context: ctx}
	if err := chromedp.Listen(ctx, b.notice); err != nil {
		t.Fatal(err)
	}
	return b
}

// notice keeps what a report must not cause.
func (b *browser) notice(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.hear("console: %s", e.Args[0].Value)
		}
	case *runtime.EventExceptionThrown:
		b.hear("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.hear("log: %s", e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://") {
			b.hear("it asked for %s", e.Request.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.hear("dialog: %s", e.Message)
	}
}

func (b *browser) hear(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, fmt.Sprintf(format, args...))
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// tell runs a command of the protocol.
func tell[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b, command, params); err != nil {
		t.Fatal(err)
	}
}

// evaluate runs a script in the page, waits for what it promises, and returns that.
func evaluate[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// media makes the page believe in a medium and a colour scheme.
func (b *browser) media(t *testing.T, medium, scheme string) {
	t.Helper()
	tell(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// show opens a file as a screen of that width in that scheme would.
func (b *browser) show(t *testing.T, file string, width, height int64, scheme string) {
	t.Helper()
	tell(t, b, network.Enable, network.EnableParams{})
	tell(t, b, log.Enable, cdp.Empty{})
	b.media(t, "screen", scheme)
	b.do(t, chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+file))
}

// files are the reports to look at: one of everything with hostile texts, one of a warehouse without a run, and those of the demo.
func files(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{}
	for name, r := range map[string]*Report{"hostile": withHostileTexts(t), "nothing": Nothing(ofRun().Now), "compared": compare(t, ofRun(), ofRun(), map[string][][]any{"compare": differences})} {
		all[name] = filepath.Join(dir, name+".html")
		if err := os.WriteFile(all[name], htmlOf(t, r), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	demo, err := filepath.Glob(filepath.Join(installed(t, "REPORT_DEMO"), "*.html"))
	if err != nil || len(demo) == 0 {
		t.Fatal("the demo wrote no report", err)
	}
	for _, file := range demo {
		all[filepath.Base(file)] = file
	}
	return all
}

// Each of these scripts returns what is wrong, as a list of texts.
const (
	chartsWrong = `(() => {
		const wrong = [], charts = JSON.parse(document.getElementById("charts").textContent);
		for (const c of charts) {
			const place = document.getElementById(c.id), svg = place.querySelector("svg");
			if (c.labels.length === 0) continue;
			if (!svg) { wrong.push(c.title + " is not drawn"); continue; }
			const marks = [...svg.querySelectorAll(".ct-bar, .ct-line")];
			const tall = marks.some(m => m.getBoundingClientRect().height > 3 || m.getBoundingClientRect().width > 40);
			if (c.series.some(s => s.values.some(v => v)) && !tall) wrong.push(c.title + " shows nothing");
			if (svg.getBoundingClientRect().width > place.clientWidth + 1) wrong.push(c.title + " is wider than its place");
		}
		return wrong;
	})()`
	layoutWrong = `document.documentElement.scrollWidth > innerWidth ? ["the page is " + document.documentElement.scrollWidth + " wide, the screen " + innerWidth] : []`
	// sortingWrong clicks every header twice, and holds each order against the values it is of.
	sortingWrong = `(async () => {
		const wrong = [];
		const value = td => td.dataset.sort !== undefined ? td.dataset.sort : td.textContent.trim();
		const click = (table, th) => new Promise(done => { table.addEventListener("sort-end", done, {once: true}); th.click(); });
		for (const table of document.querySelectorAll("table.sortable")) {
			for (const th of table.tHead.querySelectorAll("th")) {
				for (const direction of ["descending", "ascending"]) {
					await click(table, th);
					const name = table.caption.textContent + ", " + th.textContent + ", " + direction;
					if (th.getAttribute("aria-sort") !== direction) wrong.push(name + ": aria-sort is " + th.getAttribute("aria-sort"));
					const values = [...table.tBodies[0].rows].map(r => value(r.cells[th.cellIndex])).filter(v => v !== "");
					for (let i = 1; i < values.length; i++) {
						const numbers = !isNaN(+values[i] - +values[i - 1]);
						const order = numbers ? +values[i - 1] - +values[i] : values[i - 1].localeCompare(values[i]);
						if (direction === "descending" ? order < 0 : order > 0) wrong.push(name + ": " + values[i - 1] + " before " + values[i]);
					}
				}
			}
		}
		return wrong;
	})()`
	axeWrong = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.filter(v => v.impact !== "minor")
		.map(v => v.impact + " " + v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join("; ")))`
)

func (b *browser) mustBeRight(t *testing.T, script string) {
	t.Helper()
	wrong := evaluate[[]string](t, b, script)
	for _, text := range wrong {
		t.Error(text)
	}
}

func TestBrowserShowsEveryReportOnEveryScreen(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(installed(t, "REPORT_MODULES"), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range files(t) {
		for _, width := range []int64{375, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s/%d/%s", name, width, scheme), func(t *testing.T) {
					b := open(t)
					b.show(t, file, width, 900, scheme)
					b.mustBeRight(t, chartsWrong)
					b.mustBeRight(t, layoutWrong)
					evaluate[any](t, b, string(axe)+"; null")
					b.mustBeRight(t, axeWrong)
					b.mustBeRight(t, sortingWrong)
					b.mu.Lock()
					defer b.mu.Unlock()
					for _, text := range b.heard {
						t.Error(text)
					}
				})
			}
		}
	}
}

func TestBrowserSortsByKeyboard(t *testing.T) {
	b := open(t)
	b.show(t, files(t)["hostile"], 1440, 900, "light")
	b.do(t, chromedp.Focus("table.sortable th:nth-child(2)"), chromedp.KeyEvent(kb.Enter))
	if sorted := evaluate[string](t, b, `document.activeElement.getAttribute("aria-sort") || ""`); sorted != "descending" {
		t.Errorf("Enter on a header sorts %q", sorted)
	}
}

// In print nothing is wider than the sheet, whatever the screen it was drawn for.
func TestBrowserPrints(t *testing.T) {
	b := open(t)
	for name, file := range files(t) {
		b.show(t, file, 1440, 900, "dark")
		b.media(t, "print", "dark")
		b.do(t, chromedp.EmulateViewport(700, 1000))
		b.mustBeRight(t, chartsWrong)
		if paper := evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`); paper != "rgb(255, 255, 255)" {
			t.Errorf("%s is printed on %s", name, paper)
		}
	}
}

// The pictures of the README: REPORT_PICTURES names a folder for them. Without it they go to a folder that is thrown away, and
// are only held to be small.
func TestBrowserTakesThePicturesOfTheREADME(t *testing.T) {
	dir := os.Getenv("REPORT_PICTURES")
	if dir == "" {
		dir = t.TempDir()
	}
	file := ""
	for name, path := range files(t) {
		if strings.HasPrefix(name, "nightly.") && path > file {
			file = path
		}
	}
	b := open(t)
	for name, picture := range map[string]struct {
		width, height int64
		scheme, at    string
	}{"report-light.png": {1200, 1000, "light", "h1"}, "report-dark.png": {1200, 1000, "dark", "#s3-1-3"}} {
		b.show(t, file, picture.width, picture.height, picture.scheme)
		evaluate[any](t, b, fmt.Sprintf(`document.querySelector(%q).scrollIntoView(); null`, picture.at))
		png, err := chromedp.Run(b, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if len(png) < 10_000 || len(png) > 200_000 {
			t.Errorf("%s has %d bytes", name, len(png))
		}
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
