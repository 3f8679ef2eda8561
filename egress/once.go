package egress

import "net/http"

// DoOnce is [Client.Do] for requests that no redirect may carry elsewhere: an answer that is one is returned as it is.
func (c *Client) DoOnce(req *http.Request, creds ...Credential) (*http.Response, error) {
	send, err := req, error(nil)
	if len(creds) > 0 {
		if send, err = attach(req, creds); err != nil {
			return nil, err
		}
	}
	hc := http.Client{Transport: c.transport, CheckRedirect: c.redirects(true)}
	resp, err := hc.Do(send)
	if err != nil {
		return nil, classify(req, err)
	}
	resp.Request = req
	return resp, nil
}
