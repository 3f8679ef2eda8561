// Command engines measures the engine beside eino, langchaingo and Python Haystack: what a component that does nothing costs,
// a prompt of ten documents beside Jinja2, and the loading of a file of ten components.
//
// It is a module of its own, so that the product depends on none of them. Subjects take turns; each figure is the median of
// ten rounds; what counts is the ratio. Python is HAYWARD_ORACLE_PYTHON or .oracle/bin/python (conformance/oracle): without
// it there is nothing to compare with, and the command fails.
//
//	cd bench/engines && go run .
package main
