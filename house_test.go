// The house's plan as tests: which way the doors open, and why. See ARCHITECTURE.md.
package hayward_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// ground is what every room may import; that a test's helper stays in tests is another rule.
var ground = []string{"fault", "sealed/...", "vault/scope", "db/...", "egress"}

// edges must not exist. A pattern is a package, or everything below and including it with "/...".
var edges = []struct {
	from, not, except []string
	why               string
}{
	{from: []string{"fault"}, not: []string{"..."}, why: "fault is the vocabulary of every room: it imports the standard library only"},
	{from: []string{"sealed/..."}, not: []string{"..."}, except: []string{"fault", "sealed/..."},
		why: "what holds secrets must be readable on one page: the standard library and fault only"},
	{from: []string{"vault/scope"}, not: []string{"..."}, except: []string{"fault"}, why: "scope is ground: the standard library and fault only"},
	{from: []string{"db", "egress"}, not: []string{"..."}, except: ground, why: "ground knows no wing and no door"},
	{from: []string{"vault/..."}, not: []string{"..."}, except: append([]string{"vault/..."}, ground...),
		why: "a wing is a library on its own: the vault reaches only the ground and itself; host joins the wings"},
	{from: []string{"pipeline/..."}, not: []string{"..."}, except: append([]string{"pipeline/..."}, ground...),
		why: "a wing is a library on its own: the pipeline reaches only the ground and itself; host joins the wings"},
	{from: []string{"auth/..."}, not: []string{"..."}, except: append([]string{"auth/..."}, ground...),
		why: "a wing is a library on its own: auth reaches only the ground and itself; host joins the wings"},
	{from: []string{"pipeline"}, not: []string{"pipeline/components/..."}, why: "the engine knows no component: it gets them from a registry"},
	{from: []string{"pipeline/components/..."}, not: []string{"vault/secret", "vault/store/...", "vault/keyring", "auth/...", "server/...", "sealed/reveal"},
		why: "a component sees one resolver function, never the vault, and a sealed value, never what is in it"},
	{from: []string{"server/...", "console/..."}, not: []string{"vault/store/...", "auth/store/...", "pipeline/docstore/...", "pipeline/components/...", "db"},
		why: "a door knows services, never stores or components: what it forgets to check, the service checks"},
	{from: []string{"vault/store/...", "pipeline/docstore/...", "pipeline/components/...", "auth/store/..."},
		not: []string{"server/...", "console/...", "host/...", "client/...", "cmd/..."}, why: "hands implement a wing's interfaces and never reach for a door"},
	{from: []string{"host/..."}, not: []string{"server/...", "console/...", "client/...", "cmd/...", "devllm"}, why: "host is behind every door and knows none"},
	{from: []string{"server/...", "host/...", "client/...", "devllm"}, not: []string{"cmd/..."}, why: "the program knows every room, no room knows the program"},
	{from: []string{"server/...", "host/...", "client/...", "vault/...", "auth/...", "pipeline/..."}, not: []string{"devllm"},
		why: "devllm is for development: only the command line and tests start it"},
}

// importers lists, for a package that must stay hard to reach, who may import it and why. It is exact: a line nobody
// needs any more must go.
var importers = map[string]map[string]string{
	"sealed/reveal": {
		"db":                          "enters the operator's PostgreSQL with its password",
		"egress":                      "opens a credential for the origin of a request, on the last line before the wire",
		"vault/keyring":               "encrypts values, and reads the root key",
		"vault/audit/keys":            "reads the key of a tenant's audit entries, which the keyring encrypts",
		"vault/keyring/awskms":        "signs requests to AWS KMS (Signature Version 4)",
		"vault/keyring/gcpkms":        "signs the login of a Google service account",
		"vault/rotation":              "hands the current value to the function that makes the next",
		"vault/rotation/jwtkeys":      "reads the signing keys it rotates",
		"vault/rotation/postgresrole": "derives a verifier of a new password, and logs in",
		"vault/rotation/webhook":      "sends a new value to the receiver that is among its destinations, signed",
		"vault/internal/hooksign":     "signs what a webhook is sent",
		"vault/source":                "compares two values of a key to tell a watch of a change, and counts the bytes a cache keeps",
		"vault/source/openbao":        "writes the ids of an AppRole and a service account's token into a login, for the server's own origin",
		"vault/source/awssm":          "signs requests with the keys, and sends a session token to the endpoint's origin",
		"auth":                        "compares a client's secret and hands a fresh token to its owner",
		"auth/password":               "hashes and verifies passwords",
		"host/redact":                 "looks for values of this run in text that is about to leave",
		"server/api":                  "the audited reveal endpoint",
		"client":                      "sends the password of the person at the keyboard to the server that person named",
		"devllm":                      "keeps the SHA-256 of keys it was given",

		"cmd/hayward":                      "prints a value to the person who asked the server for it, and was recorded asking",
		"cmd/hayward/internal/credentials": "keeps the access token of the person at the keyboard in a 0600 file",
		"cmd/hayward/internal/demo":        "writes the demo's passwords into a 0600 file",
	},
}

// callers lists who may call a function, and why. It is exact, too.
var callers = map[string]map[string]string{
	"egress.Local": {
		"cmd/hayward/internal/local": "hayward run: a person runs their own files on their own machine",
	},
	// Whoever names an owner acts for it outside of any scope: it has authorised and recorded that itself.
	"secret.Owner":      {"vault/rotation": "the manager acts on the rows of its policies"},
	"scope.FromContext": {},
	"scope.Strict":      {"vault/audit": "the gate of every service", "host": "first line of the services"},
	"scope.Borrow":      {"vault/internal/who": "first line of evaluating a flag, where a copy would be a tenth of the cost"},
	"scope.Lenient": {"vault/secret": "first line of the service; shared entries have no tenant", "vault/audit": "the operator reads outside every tenant",
		"vault/internal/who": "first line of the services for flags, config and overrides",
		"vault/source":       "one tenant's secrets as a source: refuses who calls from inside another tenant",
		"host":               "first line of the services", "cmd/hayward/internal/app": "wires the doors"},
}

// network is what reaches out without the guard.
var network = []string{"net.Dial", "net.DialTimeout", "net.DialTCP", "net.DialUDP", "net.DialUnix", "net.Dialer", "tls.Dial", "tls.DialWithDialer", "tls.Dialer",
	"http.DefaultClient", "http.DefaultTransport", "http.Get", "http.Head", "http.Post", "http.PostForm", "http.Client", "http.Transport", "smtp.Dial", "rpc.Dial"}

// uses are names of other packages that only listed rooms may use.
var uses = []struct {
	names []string
	by    map[string]string
	why   string
}{
	{network, map[string]string{"egress": "it is the guard", "db/internal/pg": "the operator's own database: no tenant says where it is",
		"client":                       "it is the other side: a program that talks to a server its user named",
		"cmd/hayward/internal/apptest": "a client in tests", "cmd/hayward": "asks the user's own server whether it is up",
		"bench": "drives load against servers it started on loopback"},
		"nothing leaves the process but through egress, which looks at the address a connection is really made to"},
	{[]string{"net.Listen", "net.ListenTCP", "net.ListenPacket", "net.ListenConfig", "http.ListenAndServe", "http.ListenAndServeTLS"},
		map[string]string{"server": "the door", "devllm": "loopback only", "cmd/hayward": "starts them", "cmd/hayward/internal/app": "starts them",
			"bench": "a model that answers at once, on loopback", "internal/parts": "finds a free port for a test"},
		"a port is opened in one place, which knows the rules for plaintext"},
	{[]string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"},
		map[string]string{"vault/keyring": "the root key's variable", "vault/source": "the environment as a source, by permission", "cmd/...": "the program reads its settings", "internal/...": "helpers of the build", "bench": "starts the servers it measures",
			"pipeline/pipelinetest": "where test vectors are", "pipeline/vectortest": "where test vectors are"},
		"the environment belongs to the server's operator: a room gets what it needs as an argument, or a tenant could name a variable"},
	{[]string{"exec.Command", "exec.CommandContext", "syscall.Exec", "os.StartProcess", "plugin.Open"},
		map[string]string{"internal/...": "helpers of the build", "cmd/...": "the program starts itself again as a worker", "bench": "starts the servers it measures"},
		"no code is loaded or started because a pipeline file says so"},
}

// inits lists who may have an init function: none may be needed to make a package work by being imported.
var inits = map[string]string{"sealed": "hangs the hinge between sealed and reveal; a variable would be writable by both sides of it"}

const (
	testOnly  = "packages named *test are for tests: nothing that ships imports them"
	needsDoc  = "every package says in its doc.go what it is, what it is not and who lives next door"
	noInit    = "no init functions: what a program does must be visible where it starts"
	onlyThese = "who may is a published list with a reason each (house_test.go)"
)

func TestTheHouse(t *testing.T) {
	h, err := readHouse(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(h) < 20 {
		t.Fatalf("only %d packages were found", len(h))
	}
	for _, f := range check(h) {
		t.Error(f)
	}
	for _, f := range stale(h) {
		t.Error(f)
	}
}

// TestEveryRuleLooksAtSomething: a rule about packages that are not there would pass for ever.
func TestEveryRuleLooksAtSomething(t *testing.T) {
	h, err := readHouse(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edges {
		if !slices.ContainsFunc(h.names(), func(p string) bool { return matches(e.from, p) }) {
			t.Errorf("no package is like %v, of which it is said: %s", e.from, e.why)
		}
	}
	for target := range importers {
		if h[target] == nil {
			t.Errorf("there is no package %s", target)
		}
	}
	for name := range callers {
		if room, _, _ := strings.Cut(name, "."); h[room] == nil && h["vault/"+room] == nil {
			t.Errorf("there is no package of %s", name)
		}
	}
}

// TestTheWingsByTheGoCommand asks the compiler's own list, build tags and all.
func TestTheWingsByTheGoCommand(t *testing.T) {
	for _, wing := range []string{"vault", "pipeline", "auth"} {
		out, err := exec.Command("go", "list", "-deps", "./"+wing+"/...").Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		own := 0
		for p := range strings.FieldsSeq(string(out)) {
			p, ours := strings.CutPrefix(p, module+"/")
			if !ours {
				continue
			}
			if own++; !matches(append([]string{wing + "/..."}, ground...), p) {
				t.Errorf("%s reaches %s: a wing is a library on its own", wing, p)
			}
		}
		if own < 5 {
			t.Errorf("%s: only %d packages are listed", wing, own)
		}
	}
}

// TestAForbiddenDoorIsFound builds a small house with one wrong door per rule, and looks for the rule's reason.
func TestAForbiddenDoorIsFound(t *testing.T) {
	for _, e := range edges {
		from, to := plain(e.from[0]), forbidden(e.not, e.except)
		t.Run(from+" to "+to, func(t *testing.T) {
			expect(t, fstest.MapFS{from + "/doc.go": source(from, to, ""), to + "/doc.go": source(to, "", "")}, from+"/doc.go", to, e.why)
		})
	}
	expect(t, fstest.MapFS{"vault/a/doc.go": source("a", "db", ""), "db/doc.go": source("db", "host", ""), "host/doc.go": source("host", "", "")},
		"db/doc.go", "host", "ground knows no wing")
	expect(t, fstest.MapFS{"pipeline/components/evil/doc.go": source("evil", "sealed/reveal", "")}, "evil/doc.go", "sealed/reveal", onlyThese)
	expect(t, fstest.MapFS{"host/doc.go": source("host", "db/dbtest", "")}, "host/doc.go", "db/dbtest", testOnly)
	expect(t, fstest.MapFS{"host/doc.go": {Data: []byte("package host\n")}}, "host", needsDoc)
	expect(t, fstest.MapFS{"host/host.go": source("host", "", "")}, "host", needsDoc)
	expect(t, fstest.MapFS{"host/doc.go": source("host", "", "func init() {}")}, "host/doc.go", noInit)
	expect(t, fstest.MapFS{"host/doc.go": stdSource("host", "net/http", "var c = http.DefaultClient")}, "host/doc.go", "http.DefaultClient", uses[0].why)
	expect(t, fstest.MapFS{"host/doc.go": stdSource("host", "n net", "var d n.Dialer")}, "host/doc.go", "net.Dialer", uses[0].why)
	expect(t, fstest.MapFS{"host/doc.go": stdSource("host", ". net", "")}, "host/doc.go", "dot import")
	expect(t, fstest.MapFS{"server/api/doc.go": stdSource("api", "net", "var l = net.Listen")}, "server/api/doc.go", uses[1].why)
	expect(t, fstest.MapFS{"pipeline/components/doc.go": stdSource("components", "os", "var v = os.Getenv")}, "components/doc.go", uses[2].why)
	expect(t, fstest.MapFS{"pipeline/components/doc.go": stdSource("components", "os/exec", "var v = exec.Command")}, "components/doc.go", uses[3].why)
	expect(t, fstest.MapFS{"server/doc.go": source("server", "egress", "var p = egress.Local()")}, "server/doc.go", "egress.Local", onlyThese)
	expect(t, fstest.MapFS{"vault/store/sqlite/doc.go": source("sqlite", "vault/scope", "var p = scope.FromContext")}, "sqlite/doc.go", "scope.FromContext", onlyThese)
	expect(t, fstest.MapFS{"fault/doc.go": stdSource("fault", "github.com/other/thing", "var _ = thing.X")}, "fault/doc.go", "github.com/other/thing", "standard library")
}

// TestAGoodHouseHasNoFindings: the checks find nothing where nothing is wrong, tests included.
func TestAGoodHouseHasNoFindings(t *testing.T) {
	h, err := readHouse(fstest.MapFS{
		"vault/a/doc.go": source("a", "db", ""), "db/doc.go": source("db", "fault", ""), "fault/doc.go": source("fault", "", ""),
		"vault/a/x_test.go":    source("a", "db/dbtest", "func init() {}"),
		"db/dbtest/doc.go":     source("dbtest", "db", ""),
		"vault/atest/doc.go":   source("atest", "db/dbtest", ""),
		"egress/doc.go":        stdSource("egress", "net", "var d net.Dialer"),
		"host/testdata/doc.go": source("x", "server", ""),
	})
	if err != nil || len(h) != 6 {
		t.Fatalf("%d packages, %v", len(h), err)
	}
	for _, f := range check(h) {
		t.Error(f)
	}
}

// TestAModuleOfItsOwnIsNotInTheHouse: what stands beside a go.mod below the root is built and shipped by nobody, whatever it
// imports; without that file the same code is a finding, and a module's files do not hide the folder around it.
func TestAModuleOfItsOwnIsNotInTheHouse(t *testing.T) {
	files := fstest.MapFS{
		"go.mod": {Data: []byte("module " + module + "\n")}, "bench/doc.go": source("bench", "", ""),
		"bench/peers/go.mod":            {Data: []byte("module " + module + "/bench/peers\n")},
		"bench/peers/doc.go":            stdSource("peers", "os/exec", "var v = exec.Command"),
		"bench/peers/internal/y/doc.go": stdSource("y", "os", "var v = os.Getenv"),
	}
	h, err := readHouse(files)
	if err != nil || len(h) != 1 || h["bench"] == nil {
		t.Fatalf("%v, %v", h.names(), err)
	}
	for _, f := range check(h) {
		t.Error(f)
	}
	delete(files, "bench/peers/go.mod")
	expect(t, files, "bench/peers/doc.go", uses[3].why)
}

func source(pkg, imports, body string) *fstest.MapFile {
	if imports != "" {
		imports = fmt.Sprintf("import _ %q\nimport %q\n", module+"/"+imports, module+"/"+imports)
	}
	return &fstest.MapFile{Data: []byte("// Package x is here.\npackage " + path.Base(pkg) + "\n" + imports + body + "\n")}
}

func stdSource(pkg, imports, body string) *fstest.MapFile {
	name, what, named := strings.Cut(imports, " ")
	if !named {
		name, what = "", imports
	}
	return &fstest.MapFile{Data: fmt.Appendf(nil, "// Package x is here.\npackage %s\nimport %s %q\n%s\n", pkg, name, what, body)}
}

func expect(t *testing.T, files fs.FS, says ...string) {
	t.Helper()
	h, err := readHouse(files)
	if err != nil {
		t.Fatal(err)
	}
	found := check(h)
	if !slices.ContainsFunc(found, func(f string) bool {
		return !slices.ContainsFunc(says, func(s string) bool { return !strings.Contains(f, s) })
	}) {
		t.Errorf("nobody says %q:\n%s", says, strings.Join(found, "\n"))
	}
}

func plain(pattern string) string { return strings.TrimSuffix(strings.TrimSuffix(pattern, "..."), "/") }

// forbidden returns a package that a rule's patterns forbid.
func forbidden(not, except []string) string {
	for _, p := range append(slices.Clone(not), "server/api", "host", "somewhere") {
		if p = plain(p); p != "" && matches(not, p) && !matches(except, p) {
			return p
		}
	}
	return ""
}
