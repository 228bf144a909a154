// @ts-check

/**
 * @typedef {{ topic: string, type?: string, data: unknown }} PublishedEvent The body of `POST /events`.
 */

/**
 * @param {string} topic
 * @param {string} type Empty for none.
 * @param {string} text Sent as JSON if it is JSON, else as a string.
 * @returns {PublishedEvent}
 */
export function eventFromForm(topic, type, text) {
  return { topic, ...(type !== '' && { type }), data: jsonOrText(text) }
}

/** @param {string} text */
function jsonOrText(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * The line for a POSIX shell that publishes the same event.
 *
 * @param {string} origin
 * @param {PublishedEvent} event
 */
export function curlCommand(origin, event) {
  // In single quotes a shell leaves everything as it is, but for the single quote.
  const body = JSON.stringify(event).replaceAll("'", String.raw`'\''`)
  return `curl ${origin}/events -H 'Content-Type: application/json' -d '${body}'`
}
