package postgresrole

// Verifier is what PostgreSQL stores of a password.
func Verifier(password, token, role string) (string, error) {
	return verifier([]byte(password), token, role)
}
