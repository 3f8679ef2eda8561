package policy_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/auth/policy"
)

var update = flag.Bool("update", false, "write the golden files")

var single = []policy.Roles{policy.Viewer, policy.Runner, policy.Editor, policy.Admin, policy.Operator, policy.Monitor}

// The whole table, readable by a person: a change of any cell shows in review as a change of this file.
func TestMatrix(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-28s %-5s", "action", "none")
	for _, r := range single {
		fmt.Fprintf(&b, " %-8s", r)
	}
	b.WriteByte('\n')
	for _, a := range policy.Actions() {
		fmt.Fprintf(&b, "%-28s %-5s", a, cell(0, a))
		for _, r := range single {
			fmt.Fprintf(&b, " %-8s", cell(r, a))
		}
		b.WriteByte('\n')
	}
	const file = "testdata/matrix.golden"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the matrix changed; if that is meant, run with -update:\n%s", b.Bytes())
	}
}

func cell(r policy.Roles, a policy.Action) string {
	if policy.Allowed(r, a).Allowed {
		return "yes"
	}
	return "-"
}

func TestWallTheOperatorReachesNothingInsideATenant(t *testing.T) {
	for _, a := range policy.Actions() {
		inside := strings.HasPrefix(string(a), "secret:") || strings.HasPrefix(string(a), "pipeline:") || a == policy.AuditRead
		if inside && policy.Allowed(policy.Operator, a).Allowed {
			t.Errorf("the operator may %s", a)
		}
	}
}

func TestWallAMonitorReadsMetricsAndNothingElse(t *testing.T) {
	for _, a := range policy.Actions() {
		if got := policy.Allowed(policy.Monitor, a).Allowed; got != (a == policy.MetricsRead) {
			t.Errorf("a monitor may %s: %v", a, got)
		}
		for _, more := range single[:5] {
			if policy.Allowed(policy.Monitor|more, a).Allowed {
				t.Errorf("a monitor that is %s, too, may %s", more, a)
			}
		}
	}
	if policy.TenantRoles.Has(policy.Monitor) {
		t.Error("a member could be a monitor")
	}
}

func TestOnlyAnAdminSeesASecretsValue(t *testing.T) {
	for _, r := range single {
		if got := policy.Allowed(r, policy.SecretReveal).Allowed; got != (r == policy.Admin) {
			t.Errorf("%s may reveal: %v", r, got)
		}
	}
}

func TestWhatIsNotDeclaredIsDenied(t *testing.T) {
	for _, tc := range []struct {
		name   string
		roles  policy.Roles
		action policy.Action
		reason string
	}{
		{"unknown action", policy.Admin, "pipeline:explode", "the action is not declared"},
		{"empty action", policy.Operator, "", "the action is not declared"},
		{"other case", policy.Admin, "Pipeline:Read", "the action is not declared"},
		{"no role", 0, policy.PipelineRead, "the caller holds no role here"},
		{"unknown role bit", 1 << 7, policy.PipelineRead, "none of the caller's roles allows it"},
		{"operator and admin at once", policy.Operator | policy.Admin, policy.SecretReveal,
			"the operator acts outside tenants and holds no other role"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := policy.Allowed(tc.roles, tc.action); d.Allowed || d.Reason != tc.reason {
				t.Errorf("got %+v, want denied: %s", d, tc.reason)
			}
		})
	}
}

func TestMoreTenantRolesNeverAllowLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(policy.Actions()).Draw(t, "action")
		few := policy.Roles(rapid.Uint8Range(0, uint8(policy.TenantRoles)).Draw(t, "few"))
		more := few | policy.Roles(rapid.Uint8Range(0, uint8(policy.TenantRoles)).Draw(t, "more"))
		if policy.Allowed(few, a).Allowed && !policy.Allowed(more, a).Allowed {
			t.Fatalf("%s: %s may, %s may not", a, few, more)
		}
	})
}

func TestRolesReadBackAsWritten(t *testing.T) {
	for r := policy.Roles(1); r < 64; r++ {
		got, err := policy.ParseRoles(r.String())
		if err != nil || got != r {
			t.Errorf("%s: got %s, %v", r, got, err)
		}
	}
	for _, bad := range []string{"", "none", "root", "admin,", "Admin"} {
		if _, err := policy.ParseRoles(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestEveryActionIsDeclaredOnce(t *testing.T) {
	seen := map[policy.Action]bool{}
	for _, a := range policy.Actions() {
		if seen[a] || !policy.Declared(a) {
			t.Errorf("%s: declared twice or not at all", a)
		}
		seen[a] = true
	}
}

func BenchmarkAllowed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !policy.Allowed(policy.Editor, policy.PipelineRun).Allowed {
			b.Fatal("denied")
		}
	}
}

func TestDecidingAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { policy.Allowed(policy.Editor, policy.PipelineRun) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
