// boost.context and boost.fiber at the work of the rows, on one OS thread.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <time.h>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/fiber/all.hpp>

namespace context = boost::context;
namespace fibers = boost::fibers;

// Nanoseconds of CPU time of this process.
static double cpu() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static double each(std::uint64_t count, const std::function<void()> &work) {
  auto begin = cpu();
  work();
  return (cpu() - begin) / count;
}

static void check(bool right) {
  if (!right) {
    std::fprintf(stderr, "another value\n");
    std::abort();
  }
}

static double trip(std::uint64_t count) {
  std::uint64_t value = 0;
  context::fiber echo([&](context::fiber &&caller) {
    for (;;) {
      ++value;
      caller = std::move(caller).resume();
    }
    return std::move(caller);
  });
  return each(count, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      echo = std::move(echo).resume();
    }
    check(value == count);
  });
}

static double life(std::uint64_t count) {
  std::uint64_t sum = 0;
  return each(count, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      context::fiber short_one([&](context::fiber &&caller) {
        sum += i;
        return std::move(caller);
      });
      short_one = std::move(short_one).resume();
    }
    check(sum == count * (count - 1) / 2);
  });
}

static double yields(std::uint64_t count, std::uint64_t many) {
  bool over = false;
  std::vector<fibers::fiber> others;
  for (std::uint64_t i = 1; i < many; ++i) {
    others.emplace_back([&] {
      while (!over) {
        boost::this_fiber::yield();
      }
    });
  }
  boost::this_fiber::yield();
  std::uint64_t rounds = std::max<std::uint64_t>(count / many, 1);
  double cost = each(rounds * many, [&] {
    for (std::uint64_t i = 0; i < rounds; ++i) {
      boost::this_fiber::yield();
    }
  });
  over = true;
  for (auto &other : others) {
    other.join();
  }
  return cost;
}

static double spawn_join(std::uint64_t count) {
  std::uint64_t sum = 0;
  return each(count, [&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      fibers::fiber([&] { sum += i; }).join();
    }
    check(sum == count * (count - 1) / 2);
  });
}

static double spawn_many(std::uint64_t count) {
  // Each has a stack from its birth on: 100,000 at once is more than mappings allow, so it is done by the 10,000.
  const std::uint64_t batch = 10000;
  return each(count, [&] {
    for (std::uint64_t done = 0; done < count; done += batch) {
      std::vector<fibers::fiber> all;
      for (std::uint64_t i = 0; i < batch; ++i) {
        all.emplace_back([] {});
      }
      for (auto &one : all) {
        one.join();
      }
    }
  });
}

static double channel(std::uint64_t count) {
  // A buffered channel of boost holds one item less than its size, which is a power of two: 64 is the nearest.
  fibers::buffered_channel<std::uint64_t> items(64);
  return each(count, [&] {
    fibers::fiber producer([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        items.push(i);
      }
      items.close();
    });
    std::uint64_t sum = 0;
    for (auto item : items) {
      sum += item;
    }
    producer.join();
    check(sum == count * (count - 1) / 2);
  });
}

static double channel_1(std::uint64_t count) {
  // Of two, which holds one.
  fibers::buffered_channel<std::uint64_t> items(2);
  return each(count, [&] {
    fibers::fiber producer([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        items.push(i);
      }
      items.close();
    });
    std::uint64_t sum = 0;
    for (auto item : items) {
      sum += item;
    }
    producer.join();
    check(sum == count * (count - 1) / 2);
  });
}

static std::uint64_t memory() {
  std::ifstream status("/proc/self/status");
  std::uint64_t total = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0 || line.rfind("VmPTE:", 0) == 0) {
      total += std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return total;
}

static double parked(std::uint64_t) {
  // Fewer than for the others: each takes two mappings, or malloc's heap.
  const std::uint64_t count = 20000;
  auto before = memory();
  fibers::mutex mutex;
  fibers::condition_variable gate;
  bool open = false;
  std::vector<fibers::fiber> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    all.emplace_back([&] {
      std::unique_lock<fibers::mutex> lock(mutex);
      gate.wait(lock, [&] { return open; });
    });
  }
  boost::this_fiber::yield();
  double cost = double(memory() - before) / count;
  {
    std::unique_lock<fibers::mutex> lock(mutex);
    open = true;
  }
  gate.notify_all();
  for (auto &one : all) {
    one.join();
  }
  return cost;
}

int main(int argc, char **argv) {
  const std::map<std::string, std::function<double(std::uint64_t)>> rows = {
      {"trip", trip},
      {"life", life},
      {"yield_2", [](std::uint64_t n) { return yields(n, 2); }},
      {"yield_1000", [](std::uint64_t n) { return yields(n, 1000); }},
      {"spawn_join", spawn_join},
      {"spawn_many", spawn_many},
      {"channel_1", channel_1},
      {"channel_64", channel},
      {"parked", parked},
  };
  std::string name = argc > 1 ? argv[1] : "";
  if (name == "rows") {
    for (auto &row : rows) {
      std::puts(row.first.c_str());
    }
    return 0;
  }
  auto row = rows.find(name);
  if (row == rows.end() || argc < 3) {
    std::fprintf(stderr, "unknown row\n");
    return 1;
  }
  std::printf("%f\n", row->second(std::strtoull(argv[2], nullptr, 10)));
  return 0;
}
