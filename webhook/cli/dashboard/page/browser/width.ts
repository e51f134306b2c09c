// The width of an element, as it changes.
import { useEffect, useRef, useState } from 'preact/hooks'

/** @returns its width in pixels, and the reference that the element gets */
export function useWidth() {
  const [width, setWidth] = useState(320)
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = ref.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [width, ref] as const
}
