import { hash } from 'node:crypto';
import type { Account } from './authority.ts';
import type { SignInRequest } from './codes.ts';

const style = `
:root { color-scheme: light dark; --ink: #16213a; --ground: #fff; --line: #5b6b8c; --act: #0b4fa8; --on-act: #fff; --soft: #eef3fb }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eefb; --ground: #10182b; --line: #8fa3c9; --act: #9cc4ff; --on-act: #10182b; --soft: #1b2743 } }
* { box-sizing: border-box }
body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
main { max-width: 42rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.6rem; line-height: 1.25 }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1.25rem; padding: .25rem 1rem 1rem }
legend { font-weight: 600; padding: 0 .4rem }
label { display: flex; gap: .75rem; align-items: center; min-height: 2.75rem; padding: .25rem .5rem; border-radius: .35rem; cursor: pointer }
label:hover, label:has(:checked) { background: var(--soft) }
input { flex: none; width: 1.25rem; height: 1.25rem; accent-color: var(--act) }
button { font: inherit; min-height: 2.75rem; padding: .5rem 1.5rem; border-radius: .35rem; border: 2px solid var(--act); cursor: pointer }
button.yes { background: var(--act); color: var(--on-act) }
button.no { background: none; color: var(--act) }
p.buttons { display: flex; flex-wrap: wrap; gap: 1rem }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
aside { border-left: .3rem solid var(--act); background: var(--soft); padding: .5rem 1rem; margin: 1.25rem 0 }
ul { padding-left: 1.2rem } code { overflow-wrap: anywhere }`;

/** The source of this style in a Content-Security-Policy. */
export const styleSource = `'sha256-${hash('sha256', style, 'base64')}'`;

const modes: Readonly<Record<SignInRequest['acting']['mode'], string>> = {
  normal: 'normal',
  breakGlass: 'bris de glace (urgence)',
  emergencyCentre: 'régulation par le centre 15',
};

/** How the page names an app and what it asks for. */
export type Asked = {
  readonly client: string;
  readonly scopes: readonly string[];
  readonly acting: SignInRequest['acting'];
};

const groups: readonly (readonly [title: string, kinds: readonly Account['actor']['kind'][]])[] = [
  ['Professionnels', ['professional', 'air']],
  ['Usagers', ['patient']],
  ['Représentants légaux', ['representative']],
];

/** Whether somebody signs in in person. */
export function isPerson({ actor: { kind } }: Account): boolean {
  return groups.some(([, kinds]) => kinds.includes(kind));
}

/** The page on which an invented person is chosen. `error`: what was missing when it was sent before. */
export function signInPage(asked: Asked, accounts: readonly Account[], ticket: string, error?: string): string {
  const { client, scopes, acting } = asked;
  const sections = groups.map(([title, kinds]) => {
    const of = accounts.filter(({ actor }) => kinds.includes(actor.kind));
    return of.length === 0 ? '' : `<fieldset><legend>${title}</legend>${of.map(choice).join('')}</fieldset>`;
  });
  const what = [
    ...(acting.mode === 'normal' ? [] : [`<li>Mode d’accès&nbsp;: <strong>${modes[acting.mode]}</strong></li>`]),
    ...(acting.reason === undefined ? [] : [`<li>Motif&nbsp;: ${text(acting.reason)}</li>`]),
    ...(acting.patient === undefined
      ? []
      : [`<li>Dossier du patient&nbsp;: <code>${text(acting.patient.value)}</code></li>`]),
  ];
  return page(
    'Connexion au bac à sable',
    `<h1>Se connecter pour «&nbsp;${text(client)}&nbsp;»</h1>
<aside><p>Bac à sable OpenDMP&nbsp;: toutes ces personnes sont inventées, aucun mot de passe n’est demandé.</p></aside>
${error === undefined ? '' : `<p role="alert"><strong>${text(error)}</strong></p>`}
<p>L’application <strong>${text(client)}</strong> demande à accéder en votre nom aux documents partagés.</p>
${what.length === 0 ? '' : `<ul>${what.join('')}</ul>`}
<details><summary>Droits demandés</summary><ul>${scopes.map((scope) => `<li><code>${text(scope)}</code></li>`).join('')}</ul></details>
<h2>Qui êtes-vous&nbsp;?</h2>
<form method="post" action="sign-in">
<input type="hidden" name="ticket" value="${text(ticket)}">
${sections.join('\n')}
<p class="buttons"><button class="yes" name="answer" value="yes">Continuer</button>
<button class="no" name="answer" value="no" formnovalidate>Refuser</button></p>
</form>`,
  );
}

function choice({ name, display }: Account): string {
  return `<label><input type="radio" name="account" value="${text(name)}" required>${text(display)}</label>`;
}

/** What somebody sees whom no app can be sent back to. */
export function refusalPage(what: string, remedy: string): string {
  return page(
    'Connexion impossible',
    `<h1>Connexion impossible</h1>
<p role="alert">${text(what)}</p>
<p>${text(remedy)}</p>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – OpenDMP</title><style>${style}</style></head>
<body><main>
${body}
</main></body>
</html>
`;
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
