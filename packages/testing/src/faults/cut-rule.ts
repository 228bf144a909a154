import { TestingError } from '../testing-error.ts'

/**
 * Where to cut an answer: gets every byte of it so far, its head and the framing of its body included, and says after
 * how many of them the connection ends. Undefined while the place has not come.
 */
export type CutRule = (answer: Buffer) => number | undefined

/**
 * How a connection is cut: by FIN, as when a proxy gives up, or by RST, as when a host is gone. With `rst`, bytes that the
 * client's system has, but the client has not read, may be lost as well.
 */
export type CutKind = 'fin' | 'rst'

/** Cuts after so many bytes of the answer, its head included. 0 cuts before the first one. */
export function afterBytes(count: number): CutRule {
  if (!Number.isInteger(count) || count < 0) {
    throw new TestingError('invalid_option', `afterBytes(${count}): give a whole number of bytes, 0 or more.`)
  }
  return (answer) => (answer.length >= count ? count : undefined)
}

/**
 * Cuts `offsetBytes` after the start of the n-th occurrence of a text: inside an id, between two line ends, in the middle of
 * a character. Head and body are searched alike, so `inside('\r\n\r\n', 4)` is right behind the head.
 *
 * @param occurrence from 1
 */
export function inside(text: string, offsetBytes: number, occurrence = 1): CutRule {
  if (text === '' || !Number.isInteger(offsetBytes) || !Number.isInteger(occurrence) || occurrence < 1) {
    const given = `inside(${JSON.stringify(text)}, ${offsetBytes}, ${occurrence})`
    throw new TestingError('invalid_option', `${given}: give a text, a whole offset, and which occurrence, from 1.`)
  }
  return (answer) => {
    let at = -1
    for (let i = 0; i < occurrence; i++) {
      at = answer.indexOf(text, at + 1)
      if (at === -1) return undefined
    }
    return answer.length >= at + offsetBytes ? at + offsetBytes : undefined
  }
}
