bin/hayward pipeline check my.yml
bin/hayward secret set MY_API_KEY --destination https://api.openai.com
bin/hayward pipeline deploy my.yml
bin/hayward pipeline run my --inputs '{"query": "What is a goroutine?"}'
