# usage: ruby publish.rb TOPIC JSON      prints the id of the event; nothing but Ruby is needed

require 'json'
require 'net/http'
require 'securerandom'

HUB = URI("#{ENV.fetch('MILLRACE_URL', 'http://127.0.0.1:3000')}/events")

# Stores one event and returns its id. Raises with the hub's own words when it refuses.
def publish(topic, data, attempts: 6)
  # The same key on every attempt: what was stored although its answer got lost is not stored twice.
  body = JSON.generate(topic: topic, data: data, dedupeKey: SecureRandom.uuid)
  attempts.times do |attempt|
    wait = [2**attempt, 30].min
    begin
      response = Net::HTTP.post(HUB, body, 'Content-Type' => 'application/json')
      return JSON.parse(response.body)['ids'].first if response.code == '200'
      raise JSON.parse(response.body)['detail'] unless %w[429 503].include?(response.code)

      wait = (response['Retry-After'] || wait).to_f
    rescue SystemCallError, IOError, Timeout::Error
      # Nobody there, or cut.
    end
    sleep wait if attempt + 1 < attempts
  end
  raise "No answer from #{HUB}"
end

begin
  puts publish(ARGV[0], JSON.parse(ARGV[1]))
rescue RuntimeError => e
  abort e.message
end
