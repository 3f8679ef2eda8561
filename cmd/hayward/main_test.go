package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/sealed"

	_ "modernc.org/sqlite"
)

// TestMain lets scripts run this very binary as the command hayward.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hayward": main})
}

// TestScripts types commands as a person would. Each script is a file in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: setup, Cmds: commands(), RequireExplicitExec: true, RequireUniqueNames: true,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != ""})
}

// setup gives a script directories of its own for everything that the program keeps.
func setup(e *testscript.Env) error {
	for name, dir := range map[string]string{"HOME": "home", "XDG_CONFIG_HOME": "home/config", "XDG_DATA_HOME": "home/data"} {
		e.Setenv(name, filepath.Join(e.WorkDir, filepath.FromSlash(dir)))
	}
	repo, err := filepath.Abs("../..")
	e.Setenv("REPO", repo)
	e.Setenv("GODOC", filepath.Join(goRoot(), "doc"))
	e.Setenv("USER", "nobody")
	e.Setenv("EVIL", "\x1b[31mred\u202e")
	if err != nil {
		return err
	}
	llm, err := startModel(e)
	if err != nil {
		return err
	}
	e.Setenv("LLM", llm)
	return os.WriteFile(filepath.Join(e.WorkDir, "ask-model.yml"), []byte(strings.ReplaceAll(askPipeline, "MODEL-ADDRESS", llm)), 0o600)
}

// startModel starts a model server that ends with the script and accepts the key sk-nouns-0123456789abcdef.
func startModel(e *testscript.Env) (string, error) {
	ctx, stop := context.WithCancel(context.Background())
	ln, err := devllm.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		stop()
		return "", err
	}
	done := make(chan error, 1)
	go func() {
		done <- devllm.New(devllm.Options{Keys: []sealed.Value{sealed.NewString("sk-nouns-0123456789abcdef")}}).Serve(ctx, ln)
	}()
	e.Defer(func() { stop(); <-done })
	return ln.Addr().String(), nil
}

// askPipeline asks the model server at MODEL-ADDRESS about animals.
const askPipeline = `components:
  retriever:
    type: haystack.components.retrievers.in_memory.bm25_retriever.InMemoryBM25Retriever
    init_parameters:
      top_k: 2
      document_store:
        type: haystack.document_stores.in_memory.document_store.InMemoryDocumentStore
        init_parameters:
          index: animals
  prompt:
    type: haystack.components.builders.chat_prompt_builder.ChatPromptBuilder
    init_parameters:
      required_variables: "*"
      template:
        - role: user
          name: null
          meta: {}
          content:
            - text: "Documents:\n{% for document in documents %}\n{{ document.content }}\n{% endfor %}\n\nQuestion: {{ query }}"
  llm:
    type: haystack.components.generators.chat.openai.OpenAIChatGenerator
    init_parameters:
      model: devllm
      api_base_url: http://MODEL-ADDRESS/v1
      api_key: {type: env_var, env_vars: [LLM_KEY], strict: true}
connections:
  - {sender: retriever.documents, receiver: prompt.documents}
  - {sender: prompt.prompt, receiver: llm.messages}
inputs:
  query: [retriever.query, prompt.query]
outputs:
  replies: llm.replies
`

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"waitfor": waitFor, "capture": capture, "sqlite": runSQL, "mode": checkMode, "same": same, "occupy": occupy, "promised": promised,
		"waitrotated": waitRotated, "checkpointed": checkpointed,
	}
}

// waitFor FILE REGEX [VARIABLE] waits until a file that a background command writes matches. The variable gets the first
// group.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: waitfor file regex [variable]")
	}
	re := regexp.MustCompile("(?m)" + args[1])
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		b, _ := os.ReadFile(ts.MkAbs(args[0]))
		if m := re.FindStringSubmatch(string(b)); m != nil {
			if len(args) == 3 {
				ts.Setenv(args[2], m[1])
			}
			return
		}
	}
	b, _ := os.ReadFile(ts.MkAbs(args[0]))
	ts.Fatalf("%s never matched %s; it holds:\n%s", args[0], args[1], b)
}

// waitrotated NAME waits until a secret was rotated by the server itself.
func waitRotated(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		ts.Check(ts.Exec("hayward", "rotate", "history", args[0]))
		if strings.Contains(ts.ReadFile("stdout"), " rotated ") {
			return
		}
	}
	ts.Fatalf("%s was never rotated", args[0])
}

// checkpointed ID waits until an entry of the record is under a checkpoint.
func checkpointed(ts *testscript.TestScript, _ bool, args []string) {
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = ts.Exec("hayward", "audit", "prove", args[0]); err == nil {
			return
		}
	}
	ts.Check(err)
}

// capture VARIABLE REGEX sets a variable to the first group of the last command's standard output.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("standard output does not match %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// sqlite FILE STATEMENT runs one statement that must change something.
func runSQL(ts *testscript.TestScript, _ bool, args []string) {
	d, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer d.Close()
	r, err := d.Exec(args[1])
	ts.Check(err)
	if n, _ := r.RowsAffected(); n == 0 {
		ts.Fatalf("%s changed nothing", args[1])
	}
}

// mode FILE 0600 checks a file's permissions.
func checkMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] && runtime.GOOS != "windows" {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// same A B compares two texts; with ! they must differ.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if (args[0] == args[1]) == neg {
		ts.Fatalf("%q and %q", args[0], args[1])
	}
}

// promised OUTPUT SCRIPT MODEL compares what a script printed with what the script's comments ("#> ...") promise. MODEL is
// where the model server listens in this test; the comments have its usual address.
func promised(ts *testscript.TestScript, _ bool, args []string) {
	var want strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if text, ok := strings.CutPrefix(line, "#> "); ok {
			want.WriteString(strings.ReplaceAll(text, "http://127.0.0.1:11435", args[2]))
		}
	}
	if got := ts.ReadFile(args[0]); got != want.String() || got == "" {
		ts.Fatalf("printed:\n%spromised:\n%s", got, want.String())
	}
}

// occupy VARIABLE takes a port of this machine until the script ends, and sets the variable to its address.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// TestEveryCommandSaysWhatItIsFor walks the tree of commands.
func TestEveryCommandSaysWhatItIsFor(t *testing.T) {
	c := &cli{}
	all := []string{}
	var walk func(path string, depth int)
	root := c.root()
	walk = func(path string, depth int) {
		cmd, _, err := root.Find(strings.Fields(path))
		if err != nil {
			t.Fatal(path, err)
		}
		all = append(all, path)
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%q: a sentence without a full stop is missing", path)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%q: --%s says nothing", path, f.Name)
			}
			for _, word := range []string{"password", "secret", "token", "value", "key"} {
				if f.Name == word && f.Value.Type() == "string" {
					t.Errorf("%q: --%s would take a secret as an argument", path, f.Name)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			walk(strings.TrimSpace(path+" "+sub.Name()), depth+1)
		}
	}
	walk("", 0)
	if len(all) < 40 {
		t.Errorf("only %d commands: %v", len(all), all)
	}
}

// goRoot is where the toolchain that runs the tests keeps its documents.
func goRoot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
