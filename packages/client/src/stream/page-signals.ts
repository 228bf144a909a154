/** What a page or a worker offers of the web's events; Node offers none of it. */
export interface PageScope {
  addEventListener?(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void
  readonly document?: (Required<Pick<PageScope, 'addEventListener'>> & { readonly visibilityState: string }) | undefined
}

/**
 * Tells when it is a good moment to try (`wake`: the network is back, the page is looked at, or it is back from the
 * back/forward cache), and when the page may be about to go (`leave`). Returns what stops it.
 */
export function onPageSignals(scope: PageScope, wake: () => void, leave: () => void): () => void {
  const { document } = scope
  const controller = new AbortController()
  const onSeen = (): void => (document?.visibilityState === 'hidden' ? leave() : wake())
  const listen = (target: PageScope | undefined, type: string, listener: () => void): void =>
    target?.addEventListener?.(type, listener, controller)
  listen(scope, 'online', wake)
  listen(scope, 'pageshow', wake)
  listen(scope, 'pagehide', leave)
  listen(document, 'visibilitychange', onSeen)
  return () => controller.abort()
}
