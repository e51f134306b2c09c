// Light or dark: the style sheet has colours for both, and the root element says which.
import { useEffect, useState } from 'preact/hooks'

export const THEMES = ['auto', 'light', 'dark'] as const

const CHANGE = 'themechange'

/** Applies a choice; `auto` is the system's, also when it changes. @returns ends this */
export function followTheme(choice: (typeof THEMES)[number]): () => void {
  const isDark = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => {
    const system = isDark.matches ? 'dark' : 'light'
    document.documentElement.dataset.theme = choice === 'auto' ? system : choice
    dispatchEvent(new Event(CHANGE))
  }
  apply()
  isDark.addEventListener('change', apply)
  return () => isDark.removeEventListener('change', apply)
}

/** Another number after each change of the colours. */
export function useThemeChanges(): number {
  const [changes, setChanges] = useState(0)
  useEffect(() => {
    const note = () => setChanges((before) => before + 1)
    addEventListener(CHANGE, note)
    return () => removeEventListener(CHANGE, note)
  }, [])
  return changes
}
