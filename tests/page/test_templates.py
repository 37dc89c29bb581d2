"""Templates: what comes through a hole is never markup, and what stays the same is not made again."""

import pytest
from playwright.sync_api import Page
from tests.page.conftest import OpenPage

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "</p><script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "&lt;b&gt;&amp;",
    "ig§<!--ig§-->${1}",
)
_PROGRAM = """async ([body, payloads]) => {
  const root = document.querySelector("link[rel=modulepreload]").href.replace(/[^/]*$/, "");
  const { html, render, each } = await import(root + "core/html.js");
  const { signal, computed } = await import(root + "core/signal.js");
  const { Element, define } = await import(root + "core/element.js");
  const box = document.createElement("div");
  document.body.append(box);
  return await eval(body)({ html, render, each, signal, computed, Element, define, box, payloads });
}"""


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page("/sign-in", bypass_csp=True)  # for `eval`, by which these tests hand over programs


def run(page: Page, program: str) -> object:
    return page.evaluate(_PROGRAM, [program, PAYLOADS])


def test_values_are_text_wherever_they_come(page: Page) -> None:
    texts = run(
        page,
        """async ({ html, render, box, payloads }) => payloads.map((text) => {
          const inner = [text, html`<i>${text}</i>`];
          render(html`<p title=${text} class="a ${text} b" data-x='${text}'>${text}<b>${inner}</b></p>`, box);
          const p = box.querySelector("p");
          return [p.title, p.className, p.dataset.x, p.textContent, box.querySelectorAll("*").length];
        })""",
    )
    assert texts == [[text, f"a {text} b", text, text * 3, 3] for text in PAYLOADS]


def test_a_template_that_is_drawn_again_keeps_its_elements(page: Page) -> None:
    assert run(
        page,
        """async ({ html, render, box }) => {
          const view = (n, on) => html`
            <button ?disabled=${on} @click=${() => (box.clicked = n)} style=${{ "--n": n }}>${n}</button>
            ${on ? html`<i></i>` : null}`;
          render(view(1, true), box);
          const first = box.querySelector("button");
          render(view(2, false), box);
          first.click();
          const style = first.style.getPropertyValue("--n");
          const [same, text] = [first === box.querySelector("button"), box.textContent.trim()];
          return [same, first.disabled, style, box.clicked, text, box.querySelector("i")];
        }""",
    ) == [True, False, "2", 2, "2", None]


def test_items_of_a_list_move_with_their_keys(page: Page) -> None:
    assert run(
        page,
        """async ({ html, render, each, box }) => {
          const one = (item) => html`<li>${item}</li>${item}`;
          const view = (items) => html`<ul>${each(items, (item) => item, one)}</ul>`;
          render(view("abcd"), box);
          const made = Object.fromEntries([...box.querySelectorAll("li")].map((li) => [li.textContent, li]));
          const seen = ["dxab", "", "ba"].map((items) => (render(view(items), box), box.textContent));
          render(view("abcd"), box);
          render(view("dcba"), box);
          const after = [...box.querySelectorAll("li")];
          render(view("adbc"), box);
          return [seen, box.textContent, after.every((li) => li.isConnected), made.c.isConnected];
        }""",
    ) == [["ddxxaabb", "", "bbaa"], "aaddbbcc", True, False]


def test_a_component_draws_itself_again_for_what_it_read(page: Page) -> None:
    assert run(
        page,
        """async ({ html, render, signal, Element, define, box }) => {
          const other = signal(0);
          let drawn = 0, ended = 0;
          class Count extends Element {
            static tag = "x-count";
            count = signal(0);
            connected(life) { life.addEventListener("abort", () => (ended += 1)); }
            render() { drawn += 1; return html`<b>${this.count.value}</b>`; }
          }
          define(Count);
          const view = (n) => html`<x-count .count=${n}></x-count>`;
          render(view(1), box);
          render(view(2), box);
          other.value = 1;
          await null;
          const text = box.textContent;
          const element = box.firstElementChild;
          box.prepend(element);
          await null;
          const moved = ended;
          element.remove();
          await null;
          element.count.value = 3;
          await null;
          return [text, drawn, moved, ended];
        }""",
    ) == ["2", 2, 0, 1]
