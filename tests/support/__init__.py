"""What the tests of several rooms share: brokers, subscribers, processes, sound."""
