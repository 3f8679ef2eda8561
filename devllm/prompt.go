package devllm

import (
	"regexp"
	"strings"
)

var (
	questionTag  = regexp.MustCompile(`(?is)<(?:question|query|user_query)>(.*?)</(?:question|query|user_query)>`)
	questionLine = regexp.MustCompile(`(?im)(?:^|[ \t.])(?:user |the )?(?:question|query)[ \t]*:[ \t]*(.*)$`)
	answerLine   = regexp.MustCompile(`(?i)\n[ \t]*(?:final |your )?answer[ \t]*:\s*$`)
	contextLine  = regexp.MustCompile(`(?im)^[^\n]*\b(?:documents?|context|passages?|sources?|articles?|information|content|excerpts?)\b[^\n.?!]*:[ \t]*$`)
	contextTag   = regexp.MustCompile(`(?is)<(documents?|context|passages?|sources?)>(.*)</(?:documents?|context|passages?|sources?)>`)
	inlineMark   = regexp.MustCompile(`(?im)^[ \t]*(?:documents?|context|passages?|sources?)[ \t]*:[ \t]*`)
)

// answer finds question and documents in a conversation, as prompts for retrieval usually write them, and quotes.
func answer(messages []message) string {
	last := lastUser(messages)
	if last < 0 {
		return NoAnswer
	}
	question, rest := takeQuestion(messages[last].text)
	var elsewhere []string
	for i, m := range messages {
		if i != last && m.Role != "assistant" {
			elsewhere = append(elsewhere, m.text)
		}
	}
	for _, text := range []string{documents(rest), documents(strings.Join(elsewhere, "\n\n"))} {
		if found := Quote(text, question); found != NoAnswer {
			return found
		}
	}
	return NoAnswer
}

func lastUser(messages []message) int {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == "user" {
			return i
		}
	}
	return -1
}

// takeQuestion returns the question of a prompt and the prompt without it.
func takeQuestion(text string) (question, rest string) {
	if strings.Contains(text, "</") {
		if m := last(questionTag.FindAllStringSubmatchIndex(text, -1)); m != nil {
			return strings.TrimSpace(text[m[2]:m[3]]), text[:m[0]] + "\n\n" + text[m[1]:]
		}
	}
	text = answerLine.ReplaceAllString(text, "")
	if m := lastQuestion(text); m != nil {
		if q := strings.TrimSpace(text[m[2]:m[3]]); q != "" {
			return q, text[:m[0]] + "\n\n" + text[m[1]:]
		}
		q, after, _ := strings.Cut(strings.TrimLeft(text[m[1]:], "\r\n\t "), "\n")
		return strings.TrimSpace(q), text[:m[0]] + "\n\n" + after
	}
	return takeLastLine(text)
}

// lastQuestion finds the last line that names a question. Documents are long and their lines seldom do.
func lastQuestion(text string) (match []int) {
	for end := len(text); end >= 0; {
		start := strings.LastIndexByte(text[:end], '\n') + 1
		line := strings.ToLower(text[start:end])
		if strings.Contains(line, "question") || strings.Contains(line, "query") {
			if m := last(questionLine.FindAllStringSubmatchIndex(text[start:end], -1)); m != nil {
				return []int{m[0] + start, m[1] + start, m[2] + start, m[3] + start}
			}
		}
		end = start - 1
	}
	return nil
}

// takeLastLine takes the last line with a question mark at its end, or else the last line there is.
func takeLastLine(text string) (question, rest string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	at := len(lines) - 1
	for i := at; i >= 0; i-- {
		if strings.HasSuffix(strings.TrimSpace(lines[i]), "?") {
			at = i
			break
		}
	}
	return strings.TrimSpace(lines[at]), strings.Join(lines[:at], "\n") + "\n\n" + strings.Join(lines[at+1:], "\n")
}

func last(all [][]int) []int {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// documents returns what stands between tags or below a line such as "Documents:". Without either, all of it counts.
func documents(text string) string {
	if strings.Contains(text, "</") {
		if m := contextTag.FindStringSubmatch(text); m != nil {
			return m[2]
		}
	}
	for _, mark := range []*regexp.Regexp{contextLine, inlineMark} {
		if at := mark.FindStringIndex(text); at != nil && strings.TrimSpace(text[at[1]:]) != "" {
			return text[at[1]:]
		}
	}
	return text
}
