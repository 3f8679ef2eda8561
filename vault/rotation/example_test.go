package rotation_test

import (
	"context"
	"fmt"
	"time"

	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// A policy names a kind of rotator; the manager does what is due, and RotateNow does not wait for that.
func Example() {
	st := memory.New()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		fmt.Println(err)
		return
	}
	secrets := secret.NewService(st, enc)
	manager := rotation.NewManager(st, secrets)
	service := rotation.NewService(manager)

	ctx := scope.WithScope(context.Background(), "myapp", "acme", "ann", "10.0.0.1")
	_, err = service.SetPolicy(ctx, &rotation.Policy{SecretKey: "API_TOKEN", Interval: 30 * 24 * time.Hour, Enabled: true,
		Rotator: rotation.KindToken, Params: []byte(`{"prefix":"sk_"}`),
		Windows: []rotation.Window{{Days: []string{"sun"}, From: "02:00", To: "05:00"}}, TimeZone: "Europe/Berlin"})
	fmt.Println(err)
	for range 2 {
		rec, err := service.RotateNow(ctx, "API_TOKEN", "")
		fmt.Println(rec.OldVersion, "->", rec.NewVersion, rec.Outcome, "by", rec.RotatedBy, err)
	}
	sec, err := secrets.Get(ctx, "API_TOKEN", "")
	fmt.Println(sec.Version, sec.Value, err)
	// Output:
	// <nil>
	// 0 -> 1 rotated by ann <nil>
	// 1 -> 2 rotated by ann <nil>
	// 2 [sealed] <nil>
}
