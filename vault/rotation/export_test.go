package rotation

import "time"

// Probe has fn asked at each point between two effects of m; an error ends the attempt there as a crash would.
func Probe(m *Manager, fn func(point string) error) { m.probe = fn }

// Next is when a rotation may begin from t on.
func Next(windows []Window, zone string, t time.Time) (time.Time, error) {
	s, err := newSchedule(windows, zone)
	if err != nil {
		return time.Time{}, err
	}
	return s.next(t), nil
}

// Wait is the time to wait after n failures in a row.
func Wait(base, limit time.Duration, n int64) time.Duration { return backoff{base, limit}.wait(n) }

// Holder names a manager in leases.
func Holder(m *Manager) string { return m.holder }
