package egress

import "net"

// SetResolver makes c look names up with r.
func SetResolver(c *Client, r *net.Resolver) { c.resolver = r }
