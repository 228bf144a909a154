import { matchesSelector, type Selector, type Topic } from '@millrace/protocol'

/** Whether an event of this topic is for who asked for these topics, as a hub would answer. The server has judged them. */
export function isAskedFor(topic: string, topics: readonly string[]): boolean {
  return (
    topics.length === 0 ||
    topics
      .flatMap((names) => names.split(','))
      .some(
        (asked) =>
          matchesSelector(asked as Selector, topic as Topic) ||
          // On the wire one's own topic has one's name; nobody else's is ever sent.
          (asked === '@me' && topic.startsWith('@')),
      )
  )
}

/** All topics, each once. */
export function unite(lists: Iterable<readonly string[]>): readonly string[] {
  return [...new Set([...lists].flat())]
}

/** Whether they are the same topics, in any order. */
export function areEqual(some: readonly string[] | undefined, others: readonly string[]): boolean {
  return some !== undefined && [...some].sort().join() === [...others].sort().join()
}
