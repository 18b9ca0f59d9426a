#pragma once

#include <string_view>

namespace lstmrec::detail {

/// Names that columns have in well-known logs and tables of items, as plain_name has them, the surest first.
inline constexpr std::string_view user_names[] = {
    "sessionid",  "session",  "visitid",  "visit",    "visitorid", "visitor",   "userid",     "user",    "uid",
    "customerid", "customer", "clientid", "memberid", "accountid", "profileid", "reviewerid", "buyerid", "username"};
inline constexpr std::string_view item_names[] = {"itemid",     "item",    "movieid",    "productid", "product",
                                                  "parentasin", "asin",    "sku",        "articleid", "article",
                                                  "bookid",     "isbn",    "trackid",    "songid",    "contentid",
                                                  "newsid",     "videoid", "businessid", "gameid",    "goodsid"};
inline constexpr std::string_view time_names[] = {"timestamp", "time",       "ts",        "timeframe", "eventtime",
                                                  "datetime",  "createdat",  "clicktime", "unixtime",  "unixreviewtime",
                                                  "eventdate", "reviewtime", "tdat",      "date"};
inline constexpr std::string_view rating_names[] = {"rating", "ratings", "stars", "score", "overall"};
inline constexpr std::string_view kind_names[] = {"event",     "eventtype",    "action",      "actiontype", "behavior",
                                                  "behaviour", "behaviortype", "interaction", "type"};
inline constexpr std::string_view title_names[] = {"title",       "name",         "itemname", "itemtitle", "movietitle",
                                                   "productname", "producttitle", "prodname", "booktitle"};
inline constexpr std::string_view category_names[] = {"categories",   "category",     "genres", "genre", "categoryid",
                                                      "categorycode", "maincategory", "tags",   "class"};

}  // namespace lstmrec::detail
