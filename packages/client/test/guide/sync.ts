import { connect } from '@millrace/client'

const orders = new Map<number, string>()

const stream = connect<{ changed: { order: number; state: string } }>('/events', {
  topics: ['orders.*'],
  persist: true, // go on after a reload of the page
  async onSync(reason, { signal }) {
    console.log(`Events were missed: ${reason}`)
    const response = await fetch('/orders', { signal })
    orders.clear()
    for (const [order, state] of (await response.json()) as [number, string][]) orders.set(order, state)
  },
})
stream.on('changed', ({ data }) => orders.set(data.order, data.state))
