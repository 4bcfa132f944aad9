import { html, nothing, type TemplateResult } from 'lit-html'
import type { Desk } from '../desk.js'
import { noticeView } from './parts.js'

/** The field for the token, and which tokens there are while those of development are in use. */
export function signInView (desk: Desk): TemplateResult {
  const { t, knownTokens, notice } = desk
  const submit = (event: Event): void => {
    event.preventDefault()
    const { value } = document.querySelector<HTMLInputElement>('#token')!
    if (value.trim() !== '') void desk.signIn(value)
  }
  return html`
    <h1 tabindex="-1">${t('signIn')}</h1>
    ${noticeView(t, notice)}
    <form class="narrow" @submit=${submit}>
      <label for="token">${t('token')}</label>
      <input id="token" type="password" autocomplete="off" spellcheck="false" aria-describedby="token-hint" required>
      <p id="token-hint" class="hint">${t('tokenHint')}</p>
      <button class="main">${t('signIn')}</button>
    </form>
    ${knownTokens.length === 0
      ? nothing
      : html`
        <section class="narrow">
          <p id="known">${t('developmentTokens')}</p>
          <ul class="plain" aria-labelledby="known">
            ${knownTokens.map(({ secret, publishers }) => html`
              <li><button type="button" @click=${() => desk.signIn(secret)}>${secret}</button>
                ${publishers.join(', ')}</li>`)}
          </ul>
        </section>`}`
}
