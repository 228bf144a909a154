// @ts-check
import { element } from './element.js'

/**
 * What happened to the connection, newest first: one entry for each cut or change, with the steps as they came.
 *
 * @typedef {'working' | 'good' | 'told' | 'bad'} Tone
 *
 * @typedef {object} Entry
 * @property {(text: string, tone: Tone) => void} title Replaces the entry's first line.
 * @property {(...content: (Node | string)[]) => void} step Adds a line, with the time.
 */

const entriesKept = 20

/** @param {HTMLOListElement} list */
export function createJournal(list) {
  return {
    /**
     * @param {string} text
     * @param {Tone} tone
     * @returns {Entry}
     */
    begin(text, tone) {
      const title = element('span', { class: 'entry-title' }, text)
      const steps = element('ol', { class: 'steps' })
      const details = element('details', { open: '' }, element('summary', {}, title, time()), steps)
      const entry = element('li', { class: 'entry', 'data-tone': tone, 'data-testid': 'journal-entry' }, details)
      // Older entries fold, so that the newest stays in sight.
      list.querySelector('details')?.removeAttribute('open')
      list.prepend(entry)
      while (list.children.length > entriesKept) list.lastElementChild?.remove()
      return {
        title(newText, newTone) {
          title.textContent = newText
          entry.dataset['tone'] = newTone
        },
        step: (...content) => steps.append(element('li', {}, time(), element('span', {}, ...content))),
      }
    },
  }
}

/** @typedef {ReturnType<typeof createJournal>} Journal */

function time() {
  const now = new Date()
  const text = now.toLocaleTimeString('en-GB', { hour12: false }) + `.${String(now.getMilliseconds()).padStart(3, '0')}`
  return element('time', { datetime: now.toISOString() }, text)
}
