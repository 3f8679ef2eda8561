package devllm

import (
	"math"
	"strings"
)

// NoAnswer is what [Quote] says when no sentence shares a word with the question.
const NoAnswer = "The documents do not answer this question."

// Quote returns the sentence of text that best answers question, exactly as it stands there, or [NoAnswer]. The words of
// the question count more the rarer they are among the sentences, words side by side count again, and long sentences pay
// a little for their length. The first of equals wins.
func Quote(text, question string) string {
	asked := contentWords(question)
	sentences := split(text)
	words := make([][]string, len(sentences))
	seenIn := map[string]int{}
	for i, s := range sentences {
		words[i] = allWords(s)
		for w := range set(words[i]) {
			seenIn[w]++
		}
	}
	best, bestScore := NoAnswer, 0.0
	for i, s := range sentences {
		if strings.TrimSpace(s) == strings.TrimSpace(question) {
			continue
		}
		if score := score(asked, words[i], seenIn, len(sentences)); score > bestScore {
			best, bestScore = s, score
		}
	}
	return best
}

func score(asked, sentence []string, seenIn map[string]int, n int) float64 {
	if len(sentence) < 3 { // a heading, a number
		return 0
	}
	has := set(sentence)
	pairs := set(pairsOf(sentence))
	sum := 0.0
	for w := range uniq(asked) {
		if has[w] {
			sum += weight(seenIn[w], n)
		}
	}
	for i, p := range pairsOf(asked) {
		if pairs[p] {
			sum += 0.5 * weight(max(seenIn[asked[i]], seenIn[asked[i+1]]), n)
		}
	}
	return sum / (1 + 0.25*math.Log(math.Max(1, float64(len(sentence))/12)))
}

func weight(df, n int) float64 { return math.Log(1 + float64(n)/float64(df)) }

func set(words []string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[w] = true
	}
	return out
}

// uniq yields each word once, in order: sums of floats must not depend on a map's order.
func uniq(words []string) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, w := range words {
			if !seen[w] && !yield(w) {
				return
			}
			seen[w] = true
		}
	}
}

func pairsOf(words []string) []string {
	var out []string
	for i := 1; i < len(words); i++ {
		out = append(out, words[i-1]+" "+words[i])
	}
	return out
}
