import { LineSplitter, type Lines } from '../http/line-splitter.ts'
import { CommandFailure } from './command-failure.ts'
import { keyedLine, keyMaker, type KeyedLine } from './keyed-line.ts'
import { readLineAnswers, type LineAnswers } from './line-answers.ts'
import { Patience } from './patience.ts'
import { isInDoubt, postEvents, settlesDoubt } from './post-events.ts'

/** Lines of one request: a pipe that is slow gets each of its lines stored at once, one that is fast many together. */
const MAX_GROUP_COUNT = 5_000
/** The hub itself says what is too much; this only bounds what is held here. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

type Ids = readonly (string | null)[]

/**
 * Publishes the lines of a pipe, in requests of what has come, one after the other: the pipe waits while the hub
 * stores. What was not answered is sent again, with the same `dedupeKey`s. Yields the ids of each answer.
 *
 * @throws CommandFailure that says up to which line all is stored, and what is not known
 */
export async function* publishPipe(url: URL, input: AsyncIterable<unknown>): AsyncGenerator<Ids, void, undefined> {
  const splitter = new LineSplitter(MAX_LINE_BYTES)
  const pipe = new PipePublisher(url)
  for await (const chunk of input) yield* pipe.publish(splitter.push(chunk as Buffer))
  yield* pipe.publish(splitter.end())
}

class PipePublisher {
  readonly #url: URL
  readonly #keyOf = keyMaker()
  readonly #patience = new Patience()

  constructor(url: URL) {
    this.#url = url
  }

  async *publish({ first, texts, fault }: Lines): AsyncGenerator<Ids> {
    for (let from = 0; from < texts.length; from += MAX_GROUP_COUNT) {
      yield* this.#publishGroup(this.#keyed(first + from, texts.slice(from, from + MAX_GROUP_COUNT)))
    }
    if (fault) throw new CommandFailure(fault.message + whereToGoOn(first + texts.length))
  }

  #keyed(first: number, texts: readonly string[]): readonly KeyedLine[] {
    const lines: KeyedLine[] = []
    for (const [i, text] of texts.entries()) {
      if (text.trim() !== '') lines.push(keyedLine(first + i, text, this.#keyOf(first + i)))
    }
    return lines
  }

  async *#publishGroup(group: readonly KeyedLine[]): AsyncGenerator<Ids> {
    let rest = group
    /** Whether an attempt may have stored lines without an answer. */
    let isUncertain = false
    while (rest.length > 0) {
      const { ids, failure } = await this.#send(rest)
      if (ids.length > 0) this.#patience.onProgress()
      yield ids
      rest = rest.slice(ids.length)
      const [next] = rest
      if (!failure || !next) continue
      isUncertain ||= isInDoubt(failure)
      await this.#patience
        .wait(
          failure,
          rest.every(({ hasKey }) => hasKey),
        )
        .catch((error: CommandFailure) => {
          const isKnown = !isUncertain || settlesDoubt(failure)
          const last = isKnown ? undefined : rest.at(-1)?.line
          throw new CommandFailure(error.message + whereToGoOn(next.line, last), { cause: error })
        })
    }
  }

  async #send(lines: readonly KeyedLine[]): Promise<LineAnswers> {
    const answer = await postEvents(this.#url, 'application/x-ndjson', lines.map(({ text }) => text).join('\n'))
    return typeof answer === 'string' ? readLineAnswers(this.#url, answer, lines) : { ids: [], failure: answer }
  }
}

/** @param last the last line that may be stored all the same; undefined when none is */
function whereToGoOn(line: number, last?: number): string {
  if (last === undefined) {
    return line === 1 ? ' Nothing was published.' : ` What came before line ${line} is published; go on from there.`
  }
  const before = line === 1 ? '' : ` What came before line ${line} is published.`
  const lines = last === line ? `Line ${line}` : `Lines ${line} to ${last}`
  return `${before} ${lines} may be published, since no answer came: look before you go on from line ${line}.`
}
