package rotation_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/rotation"
)

func TestWindows(t *testing.T) {
	night := []rotation.Window{{Days: []string{"sat", "sun"}, From: "22:00", To: "04:00"}}
	for _, tc := range []struct {
		name       string
		windows    []rotation.Window
		zone       string
		from, want string
	}{
		{"none: always", nil, "", "2026-01-07T12:00:00Z", "2026-01-07T12:00:00Z"},
		{"inside", night, "", "2026-01-10T23:00:00Z", "2026-01-10T23:00:00Z"},
		{"after midnight it is still Saturday's", night, "", "2026-01-11T03:59:59Z", "2026-01-11T03:59:59Z"},
		{"the end is outside", night, "", "2026-01-11T04:00:00Z", "2026-01-11T22:00:00Z"},
		{"Sunday's goes on into Monday", night, "", "2026-01-12T01:00:00Z", "2026-01-12T01:00:00Z"},
		{"Friday's night is nobody's", night, "", "2026-01-10T01:00:00Z", "2026-01-10T22:00:00Z"},
		{"in the middle of the week", night, "", "2026-01-07T12:00:00Z", "2026-01-10T22:00:00Z"},
		{"in another zone", night, "Europe/Berlin", "2026-01-10T20:59:00Z", "2026-01-10T21:00:00Z"},
		{"in another zone, in summer", night, "Europe/Berlin", "2026-07-11T19:59:00Z", "2026-07-11T20:00:00Z"},
		{"the same weekday in a week", []rotation.Window{{Days: []string{"wed"}, From: "10:00", To: "11:00"}}, "", "2026-01-07T11:00:00Z", "2026-01-14T10:00:00Z"},
		{"equal times are a whole day", []rotation.Window{{Days: []string{"mon"}, From: "06:00", To: "06:00"}}, "", "2026-01-06T05:59:00Z", "2026-01-06T05:59:00Z"},
		{"until the end of the day", []rotation.Window{{From: "23:00", To: "24:00"}}, "", "2026-01-07T00:00:00Z", "2026-01-07T23:00:00Z"},
		{"the first of several", []rotation.Window{{From: "18:00", To: "19:00"}, {From: "13:00", To: "14:00"}}, "", "2026-01-07T12:00:00Z", "2026-01-07T13:00:00Z"},
		{"a time that the clocks skip", []rotation.Window{{From: "02:30", To: "02:45"}}, "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, tc.from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := rotation.Next(tc.windows, tc.zone, from)
			if err != nil || got.Format(time.RFC3339) != tc.want {
				t.Errorf("%s, %v; want %s", got.Format(time.RFC3339), err, tc.want)
			}
		})
	}
}

// The next moment is never earlier than asked, is itself a moment at which a rotation may begin, and there is always one
// within eight days.
func TestTheLawOfWindows(t *testing.T) {
	clock := rapid.Custom(func(t *rapid.T) string {
		return time.Date(2000, 1, 1, 0, rapid.IntRange(0, 24*60-1).Draw(t, "minute"), 0, 0, time.UTC).Format("15:04")
	})
	rapid.Check(t, func(t *rapid.T) {
		windows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rotation.Window {
			return rotation.Window{From: clock.Draw(t, "from"), To: clock.Draw(t, "to"),
				Days: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}), rapid.ID).Draw(t, "days")}
		}), 0, 3).Draw(t, "windows")
		zone := rapid.SampledFrom([]string{"", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati"}).Draw(t, "zone")
		from := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "from"), 0).UTC()
		next, err := rotation.Next(windows, zone, from)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := rotation.Next(windows, zone, next)
		if next.Before(from) || next.Sub(from) > 8*24*time.Hour || !again.Equal(next) {
			t.Fatalf("from %v: %v, from there %v", from, next, again)
		}
	})
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	for n, most := range map[int64]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: time.Minute, 1 << 40: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := rotation.Wait(time.Second, time.Minute, n)
			if d < most/2 || d > most {
				t.Fatalf("after %d failures: %v, want between half of %v and it", n, d, most)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("after %d failures only %d different times", n, len(seen))
		}
	}
}
