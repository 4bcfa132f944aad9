/** A setting that stops the start. The message names the variable, never its value: that may hold a secret. */
export class SettingError extends Error {
  constructor (name: string, expectation: string) {
    super(`${name} ${expectation}`)
  }
}
