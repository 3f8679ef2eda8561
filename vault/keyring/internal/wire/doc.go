// Package wire sends the few requests that the key management services next door (gcpkms, transit) need: JSON or a form out,
// bounded JSON back, through egress, with retries of what may pass. It knows neither service.
package wire
