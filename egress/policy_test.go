package egress_test

import (
	"net/netip"
	"testing"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
)

func TestIsPublic(t *testing.T) {
	for _, tc := range []struct {
		what   string
		public bool
		addrs  []string
	}{
		{"the public internet", true, []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
			"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "11.0.0.0", "2606:4700::1111", "2001:4860:4860::8888", "2a00::1"}},
		{"public, mapped", true, []string{"::ffff:1.1.1.1"}},
		{"unspecified and this network", false, []string{"0.0.0.0", "0.0.0.1", "0.255.255.255", "::", "::ffff:0.0.0.0"}},
		{"loopback", false, []string{"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"}},
		{"private", false, []string{"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "::ffff:10.0.0.1"}},
		{"shared (carrier NAT)", false, []string{"100.64.0.0", "100.127.255.255", "::ffff:100.64.0.1"}},
		{"link-local and cloud metadata", false, []string{"169.254.0.0", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "febf::1", "fe80::1%eth0"}},
		{"unique local", false, []string{"fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}},
		{"site-local", false, []string{"fec0::1", "feff::1"}},
		{"protocol assignments", false, []string{"192.0.0.1", "192.0.0.170"}},
		{"documentation", false, []string{"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"}},
		{"benchmarks", false, []string{"198.18.0.0", "198.19.255.255", "2001:2::1"}},
		{"multicast and broadcast", false, []string{"224.0.0.1", "239.255.255.255", "ff02::1", "255.255.255.255", "240.0.0.1"}},
		{"6to4 and its relays", false, []string{"2002:7f00:1::", "2002:a9fe:a9fe::1", "192.88.99.1"}},
		{"NAT64", false, []string{"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"}},
		{"Teredo", false, []string{"2001::1", "2001:0:7f00:1::"}},
		{"IPv4-compatible and -translated", false, []string{"::7f00:1", "::a9fe:a9fe", "::ffff:0:127.0.0.1"}},
		{"discard and segment routing", false, []string{"100::1", "5f00::1"}},
		{"with a zone", false, []string{"2606:4700::1111%eth0"}},
	} {
		for _, a := range tc.addrs {
			if got := egress.IsPublic(netip.MustParseAddr(a)); got != tc.public {
				t.Errorf("%s: %s is public: %v", tc.what, a, got)
			}
		}
	}
	if egress.IsPublic(netip.Addr{}) {
		t.Error("no address is not a public one")
	}
}

func TestPolicy(t *testing.T) {
	p, err := egress.NewPolicy("127.0.0.1:11434", " Models.Internal:443 ", "[::1]:8080", "fe80--x.example:1")
	if err != nil {
		t.Fatal(err)
	}
	for hostport, want := range map[string]bool{
		"127.0.0.1:11434": true, "models.internal:443": true, "MODELS.internal:443": true, "models.internal.:443": true, "[::1]:8080": true,
		"[0:0:0:0:0:0:0:1]:8080": true, "[::ffff:127.0.0.1]:11434": true,
		"127.0.0.1:80": false, "127.0.0.2:11434": false, "models.internal:80": false, "x.models.internal:443": false, "[::1]:80": false, "": false,
		"127.0.0.1": false, "[::1%lo]:8080": false,
	} {
		if got := p.Allows(hostport); got != want {
			t.Errorf("%s: %v", hostport, got)
		}
	}
	if (egress.Policy{}).Allows("example.com:443") {
		t.Error("the zero policy allows nothing by name")
	}
	if !egress.Local().Allows("127.0.0.1:1") {
		t.Error("the local policy allows everything")
	}
}

func TestPolicyRefuses(t *testing.T) {
	for _, entry := range []string{"", "localhost", "localhost:", ":80", "*:80", "*.internal:443", "10.0.0.0/8:80", "http://localhost:80",
		"user@localhost:80", "localhost:80/x", "localhost:80?x", "localhost:80#x", "localhost:0", "localhost:65536", "localhost:http",
		"::1:80", "[::1]", "[fe80::1%eth0]:80", "0x7f.1:80", "2130706433:80", "b\u00fccher.example:443"} {
		if _, err := egress.NewPolicy("ok.example:443", entry); !fault.Is(err, fault.Invalid) || fault.From(err).Hint == "" {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	for _, s := range []string{"127.0.0.1:80", "[::1]:443", "a.b:1", "*:1", "x@y:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		p, err := egress.NewPolicy(entry)
		if err == nil && (p.Allows("127.0.0.1:9") && entry == "" || p.Allows("unrelated.example:443") && !containsFold(entry, "unrelated.example")) {
			t.Fatalf("%q allows too much", entry)
		}
	})
}
