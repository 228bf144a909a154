import { isPattern, matchesSelector, type Selector, type Topic } from './topic.ts'

/** Makes a test for topics out of selectors: true for a topic that any of them names. */
export function compileSelectors(selectors: readonly Selector[]): (topic: Topic) => boolean {
  const exact = new Set<string>(selectors.filter((selector) => !isPattern(selector)))
  const patterns = selectors.filter((selector) => isPattern(selector))
  return (topic) => exact.has(topic) || patterns.some((pattern) => matchesSelector(pattern, topic))
}
