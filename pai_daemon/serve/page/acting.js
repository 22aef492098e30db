// What waits for the person, and the routines: shown by the dashboard, decided here. Texts are set as text.

const at = (id) => document.getElementById(id);
const KINDS = { create: "Create", append: "Append to", insert: "Write into", section: "Write into", set_property: "Set a property of", add_link: "Link in", move: "Move" };
let shown = "";

/** Shows what waits and the routines; tools: made and ask of the dashboard. Called again and again. */
export async function showActing({ made, ask }) {
  const [{ actions }, { routines, wrong }] = await Promise.all([ask("/api/actions?state=proposed"), ask("/api/routines")]);
  const now = JSON.stringify([actions, routines, wrong]);
  // What has not changed stays as it is: a person may be reading, or about to press.
  if (now === shown) return;
  shown = now;
  at("waiting").hidden = !actions.length;
  at("waiting-list").replaceChildren(...actions.map((action) => proposal(action, { made, ask })));
  at("acting").hidden = !(routines.length || wrong.length);
  at("routines").replaceChildren(...routines.map((routine) => routineRow(routine, { made, ask })));
  at("wrong").hidden = !wrong.length;
  at("wrong").replaceChildren(...wrong.map(({ path, line, message, hint }) => made("li", `${path}:${line} ${message} ${hint}`.trim())));
}

function proposal(action, tools) {
  const { made } = tools;
  const to = action.kind === "move" ? ` → ${action.to}` : "";
  const title = `${KINDS[action.kind] ?? action.kind} ${action.path}${to}`;
  const item = made("li", [made("h3", title), made("p", [action.by, action.why].filter(Boolean).join(": "))]);
  const lines = action.diff.split("\n").map((line) => made("span", `${line}\n`, { class: { "+": "added", "-": "removed" }[line[0]] ?? "" }));
  item.append(made("pre", lines, { tabindex: "0", "aria-label": `Changes of ${action.path}` }));
  const row = made("div", [
    button("Approve", `Approve: ${title}`, () => decide(action, "approve", tools), tools),
    button("Reject", `Reject: ${title}`, () => decide(action, "reject", tools), tools, "quiet"),
  ], { class: "row" });
  item.append(row);
  return item;
}

function button(name, label, press, { made }, kind = "") {
  const found = made("button", name, { type: "button", "aria-label": label, class: kind });
  found.addEventListener("click", async () => {
    found.disabled = true;
    try {
      await press();
    } catch (error) {
      at("acting-told").textContent = error.message;
    } finally {
      found.disabled = false;
    }
  });
  return found;
}

async function decide({ id, path }, decision, tools) {
  const done = await tools.ask(`/api/actions/${id}`, { decision });
  const undo = button("Undo", `Undo the change of ${path}`, () => decide({ id, path }, "undo", tools), tools, "quiet");
  at("acting-told").replaceChildren(`${path}: ${done.state}. `, ...(done.state === "applied" ? [undo] : []));
  await showActing(tools);
}

function routineRow(routine, tools) {
  const { made, ask } = tools;
  const when = [routine.schedule, ...routine.triggers].filter(Boolean).join("; ") || "by hand";
  const due = routine.next ? new Date(routine.next).toLocaleString() : routine.enabled ? "" : "off";
  const last = routine.last ? [routine.last.state, routine.last.why].filter(Boolean).join(": ") : "never run";
  const run = button("Run now", `Run now: ${routine.name}`, async () => {
    const done = await ask(`/api/routines/${encodeURIComponent(routine.name)}/run`, {});
    const text = done.trace.text || "There was nothing to write.";
    at("acting-told").replaceChildren(`${routine.name}: ${[done.state, done.why].filter(Boolean).join(": ")}. `, made("details", [made("summary", "What it wrote"), made("pre", text)]));
    await showActing(tools);
  }, tools, "quiet");
  return made("tr", [made("th", routine.name, { scope: "row" }), made("td", when), made("td", due), made("td", last), made("td", run)]);
}
