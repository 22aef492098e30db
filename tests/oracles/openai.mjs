// Asks the daemon at PAI_URL with OpenAI's own client, and prints what it understood as JSON.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.PAI_URL, apiKey: process.env.PAI_TOKEN, maxRetries: 0 });
const QUESTION = "When is the hull varnished?";
const messages = [{ role: "user", content: QUESTION }];

const whole = await client.chat.completions.create({ model: "pai", messages });
let streamed = "";
for await (const chunk of await client.chat.completions.create({ model: "pai", messages, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}
const response = await client.responses.create({ model: "pai", input: QUESTION });
const models = [];
for await (const model of await client.models.list()) models.push(model.id);
const embed = async (more) =>
  (await client.embeddings.create({ model: "pai-embed", input: "spar varnish", ...more })).data[0].embedding;
const [byDefault, floats, base64] = [
  await embed({}),
  await embed({ encoding_format: "float" }),
  await embed({ encoding_format: "base64" }),
];
let error = [];
try {
  await client.chat.completions.create({ model: "gpt-5", messages });
} catch (caught) {
  error = [caught.status, caught.code];
}
const raw = typeof base64 === "string" ? Buffer.from(base64, "base64").length : base64.length * 4;
process.stdout.write(
  JSON.stringify({
    chat: whole.choices[0].message.content,
    streamed,
    response: response.output_text,
    models,
    error,
    widths: [byDefault.length, floats.length, raw],
    apart: Math.max(...floats.map((number, place) => Math.abs(number - byDefault[place]))),
  }),
);
