import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Prices } from './prices.tsx'

const root = document.querySelector('#root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Prices shares={['AAPL', 'IBM', 'MSFT']} />
    </StrictMode>,
  )
}
