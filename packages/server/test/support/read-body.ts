/** Reads the body of a stream until it has the text, and leaves; without a text until its end. */
export async function readBody(response: Response, wanted?: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (wanted !== undefined && text.includes(wanted)) break
  }
  return text
}
