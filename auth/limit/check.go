package limit

// Check is one of several limits on the same attempt.
type Check struct {
	Name string // appears in the RateLimit headers; lower-case ASCII
	Key  Key
	Rate Rate
}

// All spends one unit of every check, or of none. Give the most specific limit first (address, user, tenant, global): if
// several refuse, the first of them answers. If all allow, the one with the fewest units left answers.
func (l *Limiter) All(checks ...Check) Decision {
	now := l.clock()
	best := Decision{Allowed: true}
	for i, c := range checks {
		d := l.take(now, c.Key, c.Rate, true)
		d.Name = c.Name
		if !d.Allowed {
			for _, spent := range checks[:i] {
				l.Refund(spent.Key, spent.Rate)
			}
			return d
		}
		if i == 0 || d.Remaining < best.Remaining {
			best = d
		}
	}
	return best
}
