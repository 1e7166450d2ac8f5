// Reads golden.json: just enough JSON for strings, numbers, lists and objects, so that the example needs only libtorch.
#pragma once

#include <cctype>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Json {
    std::string text;
    double number = 0;
    std::vector<Json> list;
    std::map<std::string, Json> object;

    static Json parse(const std::string& source) {
        size_t at = 0;
        return value(source, at);
    }

private:
    static void skip(const std::string& s, size_t& at) {
        while (at < s.size() && (std::isspace(static_cast<unsigned char>(s[at])) || s[at] == ',' || s[at] == ':')) ++at;
    }

    static Json value(const std::string& s, size_t& at) {
        skip(s, at);
        Json found;
        if (at >= s.size()) throw std::runtime_error("unexpected end of JSON");
        if (s[at] == '"') {
            found.text = quoted(s, at);
        } else if (s[at] == '[') {
            for (++at, skip(s, at); s.at(at) != ']'; skip(s, at)) found.list.push_back(value(s, at));
            ++at;
        } else if (s[at] == '{') {
            for (++at, skip(s, at); s.at(at) != '}'; skip(s, at)) {
                const std::string key = quoted(s, at);
                found.object[key] = value(s, at);
            }
            ++at;
        } else {
            size_t used = 0;
            found.number = std::stod(s.substr(at, 40), &used);
            at += used;
        }
        return found;
    }

    // Escapes are kept as they stand: the texts are not used here.
    static std::string quoted(const std::string& s, size_t& at) {
        const size_t start = ++at;
        while (s.at(at) != '"') at += s[at] == '\\' ? 2 : 1;
        return s.substr(start, at++ - start);
    }
};
