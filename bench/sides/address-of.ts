/** The address of an engine, in this variable. */
export function addressOf (variable: string): string {
  const url = process.env[variable]
  if (url === undefined) {
    throw new Error(
      `${variable} must be the address of a server. \`npm run with-engines -- npm run bench\` starts one.`
    )
  }
  return url
}
