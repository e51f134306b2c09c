// The form of the path of a broker's socket, as users write it. Through which volume it is reached is injection's to find. Pure.

/** sockaddr_un holds 108 bytes, the last of them 0. */
export const MAX_SOCKET_BYTES = 107

/** No regular expression: on a million slashes that are not at the end it would take minutes. */
export function withoutEndSlashes(path: string): string {
  let end = path.length
  while (path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}

/** Whether a socket may have this path, and the path is safe in an environment variable. */
export function isSocketPath(path: string): boolean {
  if (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SOCKET_BYTES) return false
  const parts = path.slice(1).split('/')
  return (
    parts.length > 1 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    // No characters with a meaning in a URI, in an environment variable's $(…) or in a log line.
    /^[-\w./+@,=]+$/.test(path)
  )
}
