// What one question to compiled selectors costs, beside asking matchesSelector for each of them.
// node --conditions=@millrace/source benchmarks/protocol/selector-speed.ts
import { compileSelectors, matchesSelector, parseSelector, parseTopic, type Topic } from '@millrace/protocol'

const roundCount = 10
const questionCount = 100_000

const topics = ['stocks.AAPL', 'stocks.S7', 'news.world', 'chat.room.a.b', 'q.x.r.y', '@alice', 'deep.a.b.c.d'].map(
  (text) => parseTopic(text),
)

const lists: Readonly<Record<string, readonly string[]>> = {
  'one topic': ['stocks.AAPL'],
  'twenty topics': Array.from({ length: 20 }, (_, i) => `stocks.S${i}`),
  'a topic and two patterns': ['stocks.AAPL', 'news.*', 'chat.room.>'],
  'three patterns': ['stocks.*', '*.x.*.y', 'a.>'],
  everything: ['>'],
}

let matchCount = 0
console.log('ns per question, best of rounds'.padEnd(34), 'compiled', 'one by one')
for (const [name, texts] of Object.entries(lists)) {
  const selectors = texts.map((text) => parseSelector(text))
  const compiled = fastest(compileSelectors(selectors))
  const oneByOne = fastest((topic) => selectors.some((selector) => matchesSelector(selector, topic)))
  console.log(name.padEnd(34), compiled.toFixed(1).padStart(8), oneByOne.toFixed(1).padStart(10))
}
if (matchCount === 0) throw new Error('nothing matched')

function fastest(matches: (topic: Topic) => boolean): number {
  let best = Infinity
  for (let round = 0; round < roundCount; round++) {
    const startedMs = performance.now()
    for (let i = 0; i < questionCount; i++) {
      for (const topic of topics) if (matches(topic)) matchCount++
    }
    best = Math.min(best, ((performance.now() - startedMs) * 1e6) / (questionCount * topics.length))
  }
  return best
}
