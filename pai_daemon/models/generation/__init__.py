"""What writes answers: Ollama and servers that speak the API of OpenAI."""
