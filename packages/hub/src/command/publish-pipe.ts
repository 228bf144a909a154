import { LineSplitter, type Lines } from '../http/line-splitter.ts'
import { CommandFailure } from './command-failure.ts'
import { askHub, refusalOf } from './hub-address.ts'

/** Lines of one request: a pipe that is slow gets each of its lines stored at once, one that is fast many together. */
const MAX_GROUP_COUNT = 5_000
/** The hub itself says what is too much; this only bounds what is held here. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

interface LineAnswer {
  readonly id?: string | null
  readonly error?: { readonly detail: string; readonly line?: number }
}

/**
 * Publishes the lines of a pipe, in requests of what has come, one after the other: the pipe waits while the hub
 * stores. Yields the ids of each request.
 *
 * @throws CommandFailure that names the line from which nothing is stored
 */
export async function* publishPipe(
  url: URL,
  input: AsyncIterable<unknown>,
): AsyncGenerator<readonly (string | null)[], void, undefined> {
  const splitter = new LineSplitter(MAX_LINE_BYTES)
  for await (const chunk of input) yield* publishLines(url, splitter.push(chunk as Buffer))
  yield* publishLines(url, splitter.end())
}

async function* publishLines(url: URL, { first, texts, fault }: Lines): AsyncGenerator<readonly (string | null)[]> {
  for (let from = 0; from < texts.length; from += MAX_GROUP_COUNT) {
    const group = texts.slice(from, from + MAX_GROUP_COUNT)
    if (group.some((text) => text.trim() !== '')) yield* publishGroup(url, first + from, group)
  }
  if (fault) throw new CommandFailure(fault.message)
}

async function* publishGroup(
  url: URL,
  first: number,
  texts: readonly string[],
): AsyncGenerator<readonly (string | null)[]> {
  const headers = { 'Content-Type': 'application/x-ndjson' }
  const response = await asked(url, { method: 'POST', headers, body: texts.join('\n') }, first)
  const lines = (await response.text()).split('\n').filter((line) => line !== '')
  const answers = lines.map((line) => JSON.parse(line) as LineAnswer)
  const ids = answers.flatMap(({ id }) => (id === undefined ? [] : [id]))
  yield ids
  const error = answers.at(-1)?.error
  if (error) throw new CommandFailure(inThePipe(error.detail, first) + goOn(first + (error.line ?? 1) - 1))
}

async function asked(url: URL, init: RequestInit, first: number): Promise<Response> {
  try {
    const response = await askHub(url, init)
    if (!response.ok) throw await refusalOf(response)
    return response
  } catch (error) {
    if (error instanceof CommandFailure) throw new CommandFailure(error.message + goOn(first), { cause: error })
    throw error
  }
}

/** The hub counts the lines of its request. */
function inThePipe(detail: string, first: number): string {
  return detail.replace(/^Line (\d+)/, (_, line: string) => `Line ${first + Number(line) - 1}`)
}

function goOn(line: number): string {
  return line === 1 ? ' Nothing was published.' : ` What came before line ${line} is published; go on from there.`
}
