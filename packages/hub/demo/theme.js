// @ts-check
// A classic script in the head: the theme is set before the first paint. What it is, is on <html data-theme>.

{
  const stored = localStorage.getItem('millrace-demo-theme')
  const dark = matchMedia('(prefers-color-scheme: dark)')
  let chosen = stored === 'light' || stored === 'dark' ? stored : undefined

  const apply = () => {
    document.documentElement.dataset['theme'] = chosen ?? (dark.matches ? 'dark' : 'light')
    document.dispatchEvent(new Event('themechange'))
  }
  apply()
  dark.addEventListener('change', apply)

  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('theme')?.addEventListener('click', () => {
      chosen = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark'
      localStorage.setItem('millrace-demo-theme', chosen)
      apply()
    })
  })
}
