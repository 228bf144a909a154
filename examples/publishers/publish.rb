# usage: ruby publish.rb TOPIC JSON      prints the id of the event; nothing but Ruby is needed

require 'json'
require 'net/http'
require 'securerandom'

HUB = URI("#{ENV.fetch('MILLRACE_URL', 'http://127.0.0.1:3000')}/events")

# Stores one event and returns its id. Raises with the hub's own words when it refuses.
def publish(topic, data, attempts: 6)
  # The same key on every attempt: what was stored although its answer got lost is not stored twice.
  body = JSON.generate(topic: topic, data: data, dedupeKey: SecureRandom.uuid)
  why = nil
  attempts.times do |attempt|
    wait = [2**attempt, 30].min
    begin
      response = Net::HTTP.post(HUB, body, 'Content-Type' => 'application/json')
      status = response.code.to_i
      said = fields_of(response.body)
      return said['ids'].first if status == 200 && said['ids']

      why = said['detail'] || "#{HUB} answered #{status}"
      later = response['Retry-After']
      # A 429 passes within a minute, or it is a bound that no waiting mends.
      raise why if status.between?(300, 499) && !(status == 429 && later && later.to_i < 60)

      wait = [later.to_i, 60].min if later
    rescue SystemCallError, SocketError, IOError, Timeout::Error, Net::HTTPBadResponse => e
      why = "No answer from #{HUB}: #{e.message}" # nobody there, or cut
    end
    sleep wait if attempt + 1 < attempts
  end
  raise why
end

# Nothing of what was cut, or is a proxy's page.
def fields_of(text)
  fields = JSON.parse(text.to_s)
  fields.is_a?(Hash) ? fields : {}
rescue JSON::ParserError
  {}
end

begin
  puts publish(ARGV[0], JSON.parse(ARGV[1]))
rescue RuntimeError => e
  abort e.message
end
