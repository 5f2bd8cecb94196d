/** A settings mistake that keeps the server from starting; the text lists all of them. */
export class SettingsWrong extends Error {
  override readonly name = 'SettingsWrong';
}
